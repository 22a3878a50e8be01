"""One path of a source, before anything of it was judged, and what no honest one is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_PATH_BYTES = 4096
"""No Linux opens a longer one."""
_BYTES_PER_PATH = 128
_LEAST_PATHS = 500_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A path as the source names it.

    `reason` is set where the kind of the entry alone decides (a symbolic link, say). `blob` is
    empty until the content of a file in a plain folder was read; `size` is in bytes.
    """

    path: bytes
    blob: str
    size: int
    reason: str = ""


def most_bytes(max_paths: int) -> int:
    """How many bytes all paths of a source may have; honest ones have 70 each."""
    return _BYTES_PER_PATH * max(max_paths, _LEAST_PATHS)


def path_below_another(paths: Iterable[bytes]) -> bytes | None:
    """A path that leads through another one, as if that were a folder; none of them has a NUL."""
    # With NULs between its parts, a path is followed at once by what lies below it.
    keys = sorted(path.replace(b"/", b"\0") for path in paths)
    for one, other in pairwise(keys):
        if other.startswith(one + b"\0"):
            return other.replace(b"\0", b"/")
    return None


Read = Callable[[Sequence[Entry]], Iterable[tuple[Entry, bytes | None]]]
"""Reads the contents of entries, in any order; None for one that isn't there."""

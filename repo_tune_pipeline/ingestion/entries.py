"""One path of a source, before anything of it was judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


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


Read = Callable[[Sequence[Entry]], Iterable[tuple[Entry, bytes | None]]]
"""Reads the contents of entries, in any order; None for one that isn't there."""

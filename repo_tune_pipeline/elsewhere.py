"""Code and prose that are no team's own: what a model must not forget while it learns.

They come from what is on every machine that runs this: Python's standard library, the source of
installed distributions, and what those say of themselves. What a forgetting model is judged on is
never of a project that it was reminded with: the distributions are parted in two halves by a hash
of their names, and the standard library is in the other half than what is judged.
"""

from __future__ import annotations

import csv
import hashlib
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from re import compile

LIBRARY = "python/cpython"
MIN_CHARS = 2_400
"""Of a text: shorter ones say little, and give no excerpt from the middle."""
_MAX_BYTES = 1_000_000
_MAX_LINE = 200
"""Of code that a person writes; tables of data have longer ones."""
_PICTURES = compile(r"\[?!\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?|<[^>\n]+>")
_NOT_CODE = frozenset({"test", "tests", "testing", "site-packages", "dist-packages", "lib2to3"})


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text: of which project, and where in it."""

    project: str
    path: str
    text: str


def library_code(without: Sequence[str] = ()) -> Iterator[Text]:
    """The modules of the standard library, in an order that their names decide.

    Args:
        without: repositories, as owner/name, whose code is to be left out.
    """
    if LIBRARY.rpartition("/")[2] in _short(without):
        return
    root = Path(sysconfig.get_paths()["stdlib"])
    names = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if not _NOT_CODE & set(path.relative_to(root).parts)
    }
    for name in sorted(names, key=_place):
        text = _read(root / name)
        if _is_written(text):
            yield Text(LIBRARY, f"Lib/{name}", text)


def package_code(*, judged: bool, files: int, without: Sequence[str] = ()) -> Iterator[Text]:
    """Python files of installed distributions, in an order that their names decide.

    Args:
        judged: of the half of them that models are judged on, else of the other.
        files: how many of each, at most.
        without: repositories, as owner/name, whose distributions are to be left out.
    """
    for name, one in _installed(judged, without):
        lines = (one.distribution.read_text("RECORD") or "").splitlines()
        code = [path for path, *_ in csv.reader(lines) if _is_code(path)]
        taken = 0
        for path in sorted(code, key=_place):
            text = _read(Path(str(one.distribution.locate_file(path))))
            if _is_written(text):
                yield Text(name, path, text)
                taken += 1
            if taken == files:
                break


def descriptions(*, judged: bool, without: Sequence[str] = ()) -> Iterator[Text]:
    """What installed distributions say of themselves, without their pictures and HTML tags.

    Args:
        judged: of the half of them that models are judged on, else of the other.
        without: repositories, as owner/name, whose distributions are to be left out.
    """
    for name, one in _installed(judged, without):
        text = _PICTURES.sub("", one.description)
        if len(text) >= MIN_CHARS:
            yield Text(name, "README", text)


@dataclass(frozen=True, slots=True)
class _Installed:
    distribution: Distribution
    description: str
    addresses: str


def _installed(judged: bool, without: Sequence[str]) -> list[tuple[str, _Installed]]:
    """Those of one half, but for those of the repositories `without`."""
    names, addresses = _short(without), [f"/{name.lower()}" for name in without]
    return [
        (name, one)
        for name, one in _all_installed().items()
        if judged == (int(_place(name)[-1], 16) % 2 == 0)
        and name not in names
        and not any(at in one.addresses for at in addresses)
    ]


@lru_cache(maxsize=1)
def _all_installed() -> dict[str, _Installed]:
    found: dict[str, _Installed] = {}
    for one in distributions():
        # Each look at it parses it anew.
        told = one.metadata
        payload = told.get_payload()  # pyright: ignore[reportAttributeAccessIssue]
        addresses = [*(told.get_all("Project-URL") or ()), *(told.get_all("Home-page") or ())]
        description = payload if isinstance(payload, str) else ""
        known = _Installed(one, description, " ".join(addresses).lower())
        found.setdefault(told["Name"].lower(), known)
    return {name: found[name] for name in sorted(found, key=_place)}


def _short(repositories: Sequence[str]) -> set[str]:
    return {name.rpartition("/")[2].lower() for name in repositories}


def _is_code(path: str) -> bool:
    parts = set(path.split("/"))
    return path.endswith(".py") and not _NOT_CODE & parts and ".." not in parts


def _is_written(text: str) -> bool:
    return len(text) >= MIN_CHARS and max(map(len, text.split("\n"))) <= _MAX_LINE


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _MAX_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _place(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()

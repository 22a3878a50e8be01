"""Patterns of `.gitattributes`, matched in time that grows with the length of a path alone.

The rules are those of gitattributes(5): unlike in `.gitignore` a pattern that names a folder says
nothing of what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ANY = "**"
_STARS = re.compile(r"(?<![^/])\*{2,}(?![^/])")
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_SPECIAL = frozenset("*?[\\")
_Part = str | re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern over whole paths, or, if it has no slash, over their last parts."""

    parts: tuple[_Part, ...]
    name_only: bool

    @classmethod
    def parse(cls, text: str) -> Pattern | None:
        """None for a pattern that matches nothing."""
        if not text.strip("/") or text.endswith("/"):
            return None
        if "/" not in text:
            part = _part(text)
            return None if part is None else cls((part,), name_only=True)
        names = _STARS.sub(_ANY, text.removeprefix("/")).split("/")
        # At the end `**` stands for something, elsewhere it may stand for nothing.
        names += ["*"] if names[-1] == _ANY else []
        parts = [_ANY if name == _ANY else _part(name) for name in names]
        found = tuple(part for part in parts if part is not None)
        return cls(found, name_only=False) if len(found) == len(parts) else None

    def matches(self, path: str) -> bool:
        """Whether this pattern names `path`, seen from the folder in which it was written."""
        if self.name_only:
            return _fits(self.parts[0], path.rpartition("/")[2])
        return _all_fit(self.parts, path.split("/"))


def _all_fit(parts: Sequence[_Part], names: Sequence[str]) -> bool:
    """Match part by part; after a `**` the earliest place that fits is as good as any."""
    part = name = 0
    resume, mark = -1, 0
    while name < len(names):
        if part < len(parts) and parts[part] == _ANY:
            part += 1
            resume, mark = part, name
        elif part < len(parts) and _fits(parts[part], names[name]):
            part, name = part + 1, name + 1
        elif resume >= 0:
            mark += 1
            part, name = resume, mark
        else:
            return False
    return all(rest == _ANY for rest in parts[part:])


def _fits(part: _Part, name: str) -> bool:
    return part == name if isinstance(part, str) else part.fullmatch(name) is not None


def _part(text: str) -> _Part | None:
    """One part between slashes: itself if it is plain, else an expression without backtracking."""
    if _SPECIAL.isdisjoint(text):
        return text
    chunks = [""]
    position = 0
    while position < len(text):
        char = text[position]
        if char == "*":
            chunks += [""] if chunks[-1] or len(chunks) == 1 else []
            position += 1
        elif char == "[":
            found = _bracket(text, position + 1)
            if found is None:
                return None
            chunks[-1] += found[0]
            position = found[1]
        else:
            position += char == "\\"
            if position == len(text):
                return None
            chunks[-1] += "." if char == "?" else re.escape(text[position])
            position += 1
    if len(chunks) == 1:
        return re.compile(chunks[0], re.DOTALL)
    inner = "".join(f"(?>.*?{chunk})" for chunk in chunks[1:-1])
    return re.compile(f"{chunks[0]}{inner}.*{chunks[-1]}", re.DOTALL)


def _bracket(text: str, position: int) -> tuple[str, int] | None:
    """The set that begins after a `[` as an expression, and where it ends; None if it doesn't."""
    negated = text[position : position + 1] in ("!", "^")
    position += negated
    first = position
    items = ""
    while position < len(text):
        if text[position] == "]" and position > first:
            if not items:
                return ("." if negated else "(?!)"), position + 1
            return f"[{'^' if negated else ''}{items}]", position + 1
        found = _item(text, position)
        if found is None:
            return None
        items += found[0]
        position = found[1]
    return None


def _item(text: str, position: int) -> tuple[str, int] | None:
    """A character, a range or a class such as `[:alpha:]` inside of brackets."""
    if text.startswith("[:", position):
        end = text.find(":]", position + 2)
        name = text[position + 2 : end] if end >= 0 else ""
        return (_CLASSES[name], end + 2) if name in _CLASSES else None
    low, position = _character(text, position)
    if text[position : position + 1] != "-" or text[position + 1 : position + 2] in ("", "]"):
        return re.escape(low), position
    high, position = _character(text, position + 1)
    # As git does: a range that runs backwards is its first character.
    return re.escape(low) + (f"-{re.escape(high)}" if low <= high else ""), position


def _character(text: str, position: int) -> tuple[str, int]:
    position += text[position] == "\\" and position + 1 < len(text)
    return text[position], position + 1

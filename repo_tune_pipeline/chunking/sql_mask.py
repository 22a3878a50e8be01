"""SQL of any dialect cut into statements, its strings and comments blanked.

What ends a statement is told without a grammar: dialects differ in nearly everything else, and one
statement that a grammar doesn't know would cost all those below it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(
    r"""--[^\n]*+|^[ \t]*+\#[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"""
    r"""|'(?:[^'\\]++|''|\\'(?=\w)|\\)*+'?"""
    r"""|"(?:[^"]++|"")*+"?|`[^`]*+`?|(?<![\w$])\$(?:[^\W\d]\w*+)?\$|//|\|\||;;"""
    r"""|^[ \t]*+(?:DELIMITER[ \t]++(\S++)[^\n]*+|GO[ \t\r]*+$|/[ \t\r]*+$|\\[^\n]*+)""",
    re.MULTILINE | re.IGNORECASE,
)
_EDGE = re.compile(
    r";|\x1f|^CREATE\b|[()]|\b(?:BEGIN(?!\s+(?:TRAN|WORK))|CASE)\b"
    r"|\bIS\b(?!\s+(?:NOT|NULL|TRUE|FALSE|DISTINCT|UNKNOWN|JSON|OF)\b)|\bEND\b(?:\s+(?:IF|LOOP|WHILE|REPEAT|FOR|CASE)\b)?",
    re.MULTILINE | re.IGNORECASE,
)
_ROUTINE = re.compile(
    r"\s*CREATE\s+(?:[\w=`@%.]+\s+){0,8}?(?:FUNCTION|PROC(?:EDURE)?|TRIGGER|EVENT|PACKAGE)\b",
    re.IGNORECASE,
)
_NOT_LINE_END = re.compile(r"[^\n]")
_END = "\x1f"
"""Stands for whatever ends a statement for certain, as a client's own commands do."""

_COMMAND = re.compile(r"\s*(?:GO\s*|\\.*|/\s*)", re.IGNORECASE)
"""A line that speaks to a client: ``GO``, ``\\connect shop``, ``/``."""


@dataclass(slots=True)
class Mask:
    """`code` has the text's length and lines: blanks for comments and strings, ``_`` for quoted
    names. `comments` and `bodies`, which are what stands between dollar quotes, are character
    spans, ascending; `whole` is whether all quotes close.
    """

    code: str = ""
    comments: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    bodies: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    whole: bool = True


class Statement(NamedTuple):
    """Characters [start, end) from its first word to its semicolon; whether it is complete."""

    start: int
    end: int
    whole: bool


@dataclass(slots=True)
class _Masking:
    text: str
    made: Mask = field(default_factory=Mask)
    parts: list[str] = field(default_factory=list[str])
    delimiter: str = ""

    def run(self, at: int, stop: int) -> None:
        """Read the characters from `at` to `stop`."""
        while (found := _TOKEN.search(self.text, at, stop)) is not None:
            self.parts.append(self.text[at : found.start()])
            at = found.end()
            token = found.group()
            if found.group(1) or token == self.delimiter or _COMMAND.fullmatch(token):
                self.delimiter = found.group(1) or self.delimiter
                self.parts.append(_END + _NOT_LINE_END.sub(" ", token[1:]))
            elif token[0] == "$":
                self.parts.append(" " * len(token))
                at = self._body(at, stop, token)
            else:
                self.parts.append(self._blank(token, found.start(), stop))
        self.parts.append(self.text[at:stop])

    def _body(self, start: int, stop: int, quote: str) -> int:
        """What stands between dollar quotes, up to where it closes; inside a body they are text."""
        bodies = self.made.bodies
        if bodies and start < bodies[-1][1]:
            return start
        end = self.text.find(quote, start, stop)
        self.made.whole = self.made.whole and end >= 0
        end = end if end >= 0 else stop
        bodies.append((start, end))
        self.run(start, end)
        after = min(end + len(quote), stop)
        self.parts.append(" " * (after - end))
        return after

    def _blank(self, token: str, start: int, stop: int) -> str:
        if token in ("//", "||", ";;"):
            return token
        first = token.lstrip()[0]
        if first in "-#/":
            self.made.comments.append((start, start + len(token)))
        elif stop == len(self.text) and (len(token) == 1 or token[-1] != first):
            self.made.whole = False
        return _NOT_LINE_END.sub("_" if first in '`"' else " ", token)


def mask(text: str) -> Mask:
    """In one pass over the text. The code between dollar quotes stays: it is a function's body."""
    masking = _Masking(text)
    masking.run(0, len(text))
    masking.made.code = "".join(masking.parts)
    return masking.made


@dataclass(slots=True)
class _Reading:
    """A statement that isn't over yet: how many brackets and blocks of a routine are open."""

    code: str
    start: int = 0
    brackets: int = 0
    blocks: int = 0
    routine: bool = False
    declares: bool = False

    def begins(self, at: int) -> bool:
        """Whether a statement that begins at `at` shows that this one is over."""
        return not (self.routine and self.blocks > 0) and bool(self.code[self.start : at].strip())

    def take(self, end: int) -> Statement:
        """End it there, and begin the next one."""
        whole = self.brackets == 0 and not (self.routine and self.blocks > 0)
        done = Statement(self.start, end, whole)
        self.start, self.brackets, self.blocks = end, 0, 0
        self.routine = self.declares = False
        return done

    def count(self, mark: str) -> None:
        if mark in "()":
            self.brackets += 1 if mark == "(" else -1
        elif mark in ("BEGIN", "CASE", "IS"):
            self.routine = self.routine or _ROUTINE.match(self.code, self.start) is not None
            self._open(mark)
        elif mark == "END" or mark.endswith("CASE"):
            self.blocks -= 1

    def _open(self, mark: str) -> None:
        """A block; what Oracle declares between ``IS`` and ``BEGIN`` belongs to it."""
        if mark == "IS":
            self.declares = self.routine and self.blocks == 0
            self.blocks += self.declares
        elif mark == "BEGIN" and self.declares and self.blocks == 1:
            self.declares = False
        else:
            self.blocks += 1


def statements(made: Mask) -> Iterator[Statement]:
    """Everything between what ends statements; blocks of a routine without quotes stay whole."""
    reading = _Reading(made.code)
    starts = [start for start, _end in made.bodies]
    for edge in _EDGE.finditer(made.code):
        at, mark = edge.start(), edge.group().upper()
        body = bisect_right(starts, at) - 1
        if body >= 0 and at < made.bodies[body][1]:
            continue
        if mark == "CREATE":
            if reading.begins(at):
                yield reading.take(at)
        elif mark == _END or (mark == ";" and not (reading.routine and reading.blocks > 0)):
            yield reading.take(edge.end())
        else:
            reading.count(mark)
    last = reading.take(len(made.code))
    yield last._replace(whole=last.whole and made.whole)

"""reStructuredText by sections: an adorned title and the text below it, up to the next title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from repo_tune_pipeline.chunking.candidates import Candidate
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.chunking.sections import Heading, following, sections
from repo_tune_pipeline.settings import ChunkingSettings

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*")
_NO_TITLE = re.compile(r"(?:\.\.|[-*+|]|>>>|:[^:\s][^:]*:)(?:\s|$)")
_TARGET = re.compile(r"\.\. _.*:\s*$")
_BLANKS = re.compile(r"\s+")
_SURE = 4
"""Characters; an adornment of so many may be shorter than its title."""


class _Title(NamedTuple):
    """A title, the way in which it is adorned, and its last row."""

    text: str
    style: str
    last_row: int


def rst_candidates(source: SourceText, settings: ChunkingSettings) -> Iterator[Candidate]:
    """Every section of a text, kept or not; see `sections`.

    A section begins at the targets that stand above its title.
    """
    found = following(rst_headings(source.lines), len(source.lines))
    yield from sections(source, found, settings)


def rst_headings(lines: Sequence[str]) -> Iterator[Heading]:
    """Titles with a line of punctuation below, or above and below. Which of these ways is which
    level is told by the order in which they first occur.
    """
    plain = [line.rstrip() for line in lines]
    styles: list[str] = []
    row, begins = 0, True
    while row < len(plain):
        title = _title(plain, row) if begins and plain[row] else None
        if title is None:
            begins = not plain[row] or _TARGET.match(plain[row]) is not None
            row += 1
            continue
        if title.style not in styles:
            styles.append(title.style)
        text = _BLANKS.sub(" ", title.text)
        level = styles.index(title.style) + 1
        yield Heading(level, text, _targets_row(plain, row), title.last_row, signature=text)
        row, begins = title.last_row + 1, True


def _title(lines: Sequence[str], row: int) -> _Title | None:
    first, *below = lines[row : row + 3]
    if _ADORNMENT.fullmatch(first):
        if len(below) < 2 or below[1] != first or _ADORNMENT.fullmatch(below[0]):
            return None
        text = below[0].strip()
        return _Title(text, 2 * first[0], row + 2) if text and _fits(first, text) else None
    if not below or first[0].isspace() or _NO_TITLE.match(first):
        return None
    under = below[0]
    adorned = _ADORNMENT.fullmatch(under) and under != "::" and _fits(under, first)
    return _Title(first, under[0], row + 1) if adorned else None


def _fits(adornment: str, title: str) -> bool:
    return len(adornment) >= min(_SURE, len(title))


def _targets_row(lines: Sequence[str], row: int) -> int:
    """The first of the rows above a title that hold targets, or the title's own."""
    first = row
    while row > 0 and (not lines[row - 1] or _TARGET.match(lines[row - 1])):
        row -= 1
        first = row if lines[row] else first
    return first

"""Markdown by sections: a heading and the text below it, up to the next heading of any level."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import Doc
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.settings import ChunkingSettings

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_ATX_CLOSE = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^\n]*)$")
_NO_PARAGRAPH = re.compile(r" {4}|\t| {0,3}(?:[>|<]|[-*+](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$))")
_BREAK = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
_BLANKS = re.compile(r"\s+")
PATH_SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading's level (from 1), its text, and its first and last row."""

    level: int
    title: str
    first_row: int
    last_row: int
    signature: str = ""


def section_candidates(source: SourceText, settings: ChunkingSettings) -> Iterator[Candidate]:
    """Every section of a Markdown file, kept or not."""
    found = following(headings(source.lines), len(source.lines))
    yield from sections(source, found, settings)


def following(found: Iterable[Heading], end: int) -> list[tuple[Heading, int]]:
    """Headings, each with the row before which its section ends: the next one's, or `end`."""
    listed = list(found)
    ends = [*(after.first_row for _heading, after in pairwise(listed)), end]
    return list(zip(listed, ends, strict=False))


def sections(
    source: SourceText,
    found: Sequence[tuple[Heading, int]],
    settings: ChunkingSettings,
    words: SourceText | None = None,
) -> Iterator[Candidate]:
    """The section of each heading, kept or not.

    The symbol is the path of headings down to the section, the docstring its text without the
    heading. Text before the first heading belongs to no section.

    Args:
        found: headings in their order, each with the row before which its section ends.
        words: where the same rows stand without what marks them as prose, if anything does.
    """
    words = words or source
    path: list[Heading] = []
    for heading, after in found:
        while path and path[-1].level >= heading.level:
            path.pop()
        path.append(heading)
        last = _last_text_row(words.lines, heading.last_row, after)
        rows = (heading.first_row, last)
        symbol = PATH_SEPARATOR.join(each.title for each in path)
        reason = _reason(source, heading, last, settings)
        if reason:
            yield refusal(reason, rows, symbol)
            continue
        yield piece_of(
            source,
            rows,
            kind="section",
            symbol=symbol,
            signature=heading.signature or f"{'#' * heading.level} {heading.title}",
            doc=_prose(source, words, heading.last_row + 1, last),
        )


def headings(lines: list[str]) -> Iterator[Heading]:
    """ATX and setext headings outside fenced code, HTML comments and front matter."""
    paragraph: int | None = None
    closing: _Closing | None = None
    for row, raw in enumerate(lines):
        line = raw.rstrip("\r")
        if closing is not None:
            closing = None if closing.closes(line) else closing
            continue
        closing = _opens(row, line, lines)
        if closing is not None:
            paragraph = None
        elif (atx := _ATX.match(line)) is not None:
            paragraph = None
            title = _ATX_CLOSE.sub("", atx.group(2) or "")
            yield Heading(len(atx.group(1)), _plain(title), row, row)
        elif paragraph is not None and (under := _UNDERLINE.match(line)) is not None:
            level = 1 if under.group(1)[0] == "=" else 2
            yield Heading(level, _plain(" ".join(lines[paragraph:row])), paragraph, row)
            paragraph = None
        elif not line.strip() or _BREAK.match(line):
            paragraph = None
        elif paragraph is None and not _NO_PARAGRAPH.match(line):
            paragraph = row


@dataclass(frozen=True, slots=True)
class _Closing:
    """What ends a stretch in which nothing is a heading."""

    pattern: re.Pattern[str]

    def closes(self, line: str) -> bool:
        return self.pattern.search(line) is not None


_COMMENT_END = _Closing(re.compile("-->"))
_FRONT_MATTER_END = _Closing(re.compile(r"^(?:---|\.\.\.)[ \t]*$"))


def _opens(row: int, line: str, lines: list[str]) -> _Closing | None:
    fence = _FENCE.match(line)
    if fence is not None and not (fence.group(1)[0] == "`" and "`" in fence.group(2)):
        mark = re.escape(fence.group(1)[0])
        return _Closing(re.compile(rf"^[ \t]*{mark}{{{len(fence.group(1))},}}[ \t]*$"))
    if line.lstrip(" ").startswith("<!--") and "-->" not in line:
        return _COMMENT_END
    if row == 0 and line.rstrip() == "---":
        ends = any(_FRONT_MATTER_END.closes(each.rstrip("\r")) for each in lines[1:])
        return _FRONT_MATTER_END if ends else None
    return None


def _plain(title: str) -> str:
    return _BLANKS.sub(" ", title).strip() or "(untitled)"


def _last_text_row(lines: list[str], first: int, after: int) -> int:
    """The last row before `after` that isn't blank, at least `first`."""
    row = after - 1
    while row > first and not lines[row].strip():
        row -= 1
    return row


def _reason(source: SourceText, heading: Heading, last: int, settings: ChunkingSettings) -> str:
    if last == heading.last_row:
        return "empty_section"
    size = source.size(heading.first_row, last)
    return "too_long" if size > settings.max_chunk_chars else ""


def _prose(source: SourceText, words: SourceText, first: int, last: int) -> Doc:
    text = words.rows(first, last).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    end = source.starts[first] + source.size(first, last)
    return Doc(text, source.starts[first], end, first, last)

"""Docstrings and leading comments: where they stand and what they say."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from tree_sitter import Node

from repo_tune_pipeline.chunking.outline import Outline, Span
from repo_tune_pipeline.chunking.parsing import SourceText

_LINE_MARKS = re.compile(r"^[^\S\n]*(?://[/!]*|\#+|--+(?: +[|^](?= |$))?) ?", re.MULTILINE)
_ENCLOSED = re.compile(
    r"\s*(?:--\[(=*)\[(.*)\]\1\]|=begin\b[^\n]*\n(.*)\n=end\b.*"
    r"|\{-(?!\#) ?[|^]?(.*)-\}|@\w+\s+(?:~[sS])?(\"\"\"|\'\'\'|\")(.*)\5)\s*",
    re.DOTALL,
)
"""Comments of Lua and Ruby that have an end, and Elixir's attributes that document."""
_LITERAL = re.compile(r"([A-Za-z]*)(\"\"\"|\'\'\'|\"|\')(.*)\2", re.DOTALL)
_TEXT_PREFIX = frozenset("rRuU")
_STARS = re.compile(r"^[^\S\n]*\*+ ?", re.MULTILINE)
_DIRECTIVE = re.compile(
    r"^\s*(?://|/\*)\s*(?:go:|nolint|lint:|eslint|@ts-|prettier-|istanbul|tslint|clang-|rustfmt)"
    r"|\s*\#(?:!|\s*(?:-\*-|:nodoc:|shellcheck ))"
    r"|\s*\#\s*(?:rubocop|credo|encoding|frozen_string_literal|typed):"
    r"|\s*--+\s*luacheck:"
)
_RULE = re.compile(r"[\W_]*")
_FORMAL = (b"///", b"//!", b"/**", b"/*!", b"---", b"@do", b"@mo", b"@ty", b"-- |", b"{-|", b"{- |")
"""Comments that are documentation by their form, whatever they say."""
_INNER = (b"//!", b"/*!", b"@moduledoc")
_INNER_WITHIN = 40
"""Rows; what documents a type stands at its top."""
_LICENCE = re.compile(
    r"SPDX-License-Identifier|\bcopyright\b.{0,40}(?:\d{4}|\(c\)|©)|all rights reserved"
    r"|licen[sc]ed (?:under|to) |permission is hereby granted|full copyright and licen[sc]e",
    re.IGNORECASE,
)
_LICENCE_WORDS = ("licen", "copyright", "all rights", "permission is")
"""One of them is in every licence: looking for them is cheap."""
_LICENCE_WITHIN = 600
"""Characters; who mentions a licence later speaks of something else."""
_CODE_LINE = re.compile(
    r"\s*(?:[})\]]+[;,)]*|.*[;{]|[\w.\[\]]+ *(?:[-+*/|:]?=|:=) *\S.*|[\w.]+\([^ ].*\)"
    r"|(?:import|from) [\w.]+(?: import .*)?|(?:def|fn|func|class|if|for|while) .*[:{])"
)


class Doc(NamedTuple):
    """A docstring: its text without markers, its characters in the file, its first and last row."""

    text: str
    start: int
    end: int
    first_row: int
    last_row: int


class Head(NamedTuple):
    """What stands directly above a definition: its first row, its comments and attributes."""

    first_row: int
    spans: list[Span]


def body_doc(source: SourceText, body: Node) -> Doc | None:
    """The string that is a Python body's first statement.

    Taking it out of a body that holds nothing else leaves no valid body: whoever does so has to
    mind that. A trailing ``;`` goes with it.
    """
    string = next((child for child in body.named_children if not child.is_extra), None)
    if string is None or string.type != "string":
        return None
    literal = _LITERAL.fullmatch(source.bytes_text(string.start_byte, string.end_byte))
    if literal is None or not _TEXT_PREFIX.issuperset(literal.group(1)):
        return None
    return _statement_doc(source, string, _clean(literal.group(3)))


def _clean(text: str) -> str:
    """As `inspect.cleandoc` has it, without blanks at either end."""
    if "\n" not in text:
        return text.expandtabs().strip()
    first, *lines = text.replace("\r\n", "\n").expandtabs().split("\n")
    margins = [len(line) - len(line.lstrip()) for line in lines if line and not line.isspace()]
    margin = min(margins, default=0)
    if margin:
        lines = [line[margin:] for line in lines]
    return "\n".join([first, *lines]).strip()


def _statement_doc(source: SourceText, string: Node, text: str) -> Doc:
    start, end = string.start_byte, string.end_byte
    first_row, last_row = source.row_of(start), source.row_of(end)
    start, end = source.character(start), source.character(end)
    line_start, line_end = source.starts[first_row], source.starts[last_row + 1]
    before, after = source.text[line_start:start], source.text[end:line_end]
    if not before.strip() and not after.strip():
        start, end = line_start, min(line_end, len(source.text))
    elif after.lstrip().startswith(";"):
        end += len(after) - len(after.lstrip().removeprefix(";").lstrip(" \t"))
    return Doc(text, start, end, first_row, last_row)


def head_above(found: Outline, row: int) -> Head:
    """The contiguous comments and attributes that end on the line above `row`."""
    spans: list[Span] = []
    while (span := found.above.get(row - 1)) is not None and not is_inner(found.source, span):
        spans.append(span)
        row = span.first_row
    return Head(row, spans[::-1])


def head_doc(found: Outline, head: Head) -> Doc | None:
    """The topmost run of comments in a head that says anything."""
    for is_comment, run in groupby(head.spans, attrgetter("is_comment")):
        if is_comment:
            doc = comment_doc(found.source, list(run))
            if doc.text:
                return doc
    return None


def inner_doc(found: Outline, body: Node) -> Doc | None:
    """The first comment in a type's body that documents what is around it."""
    start, end = body.byte_range
    last_row = _INNER_WITHIN + found.source.row_of(start)
    for span in found.margins[bisect_left(found.margin_starts, start) :]:
        if span.start >= end or span.first_row > last_row:
            return None
        if span.is_comment and is_inner(found.source, span):
            return comment_doc(found.source, [span])
    return None


def is_inner(source: SourceText, span: Span) -> bool:
    """Rust's ``//!`` and Elixir's ``@moduledoc`` document the module around them, not what
    follows.
    """
    return source.data.startswith(_INNER, span.start)


def comment_doc(source: SourceText, run: list[Span]) -> Doc:
    """What a run of comments says: nothing, if that is a licence or code."""
    first_row, last_row = run[0].first_row, run[-1].last_row
    formal = source.data.startswith(_FORMAL, run[0].start)
    text = _said(tuple([source.bytes_text(span.start, span.end) for span in run]), formal)
    end = min(source.starts[last_row + 1], len(source.text))
    return Doc(text, source.starts[first_row], end, first_row, last_row)


@lru_cache(maxsize=100)
def _said(comments: tuple[str, ...], formal: bool) -> str:
    """What comments say; all files of a repository begin with the same licence."""
    lines = [line for comment in comments for line in _comment_lines(comment)]
    text = _clean("\n".join(["", *lines]))
    return "" if is_licence(text) or (not formal and is_code(text)) else text


def is_licence(text: str) -> bool:
    """Whether a comment tells who owns the code instead of what it does."""
    start = text[:_LICENCE_WITHIN].lower()
    return any(word in start for word in _LICENCE_WORDS) and _LICENCE.search(start) is not None


def is_code(text: str) -> bool:
    """Whether most of a comment's lines read as code that was commented out."""
    lines = [line for line in text.split("\n") if line.strip()]
    return 2 * sum(_CODE_LINE.fullmatch(line[:300]) is not None for line in lines) > len(lines)


def _comment_lines(comment: str) -> list[str]:
    """One comment's lines without markers, directives to tools and lines of mere ornament."""
    if _DIRECTIVE.match(comment):
        return []
    stripped = comment.strip()
    if stripped.startswith("/*"):
        inner = stripped[2:].removesuffix("*/").lstrip("*!")
        lines = _STARS.sub("", inner).split("\n")
        lines[0] = lines[0].lstrip()
    elif (enclosed := _ENCLOSED.fullmatch(comment)) is not None:
        inner = next(text for text in enclosed.group(2, 3, 4, 6) if text is not None)
        return _clean(inner).split("\n")
    elif comment.startswith("@"):
        return []
    else:
        lines = _LINE_MARKS.sub("", comment.rstrip()).split("\n")
    return [text for line in lines if not (text := line.rstrip()) or _says_anything(text)]


def _says_anything(line: str) -> bool:
    return line[0].isalnum() or not _RULE.fullmatch(line)

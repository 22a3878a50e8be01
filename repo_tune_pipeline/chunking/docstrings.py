"""Docstrings and leading comments: where they stand and what they say."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from inspect import cleandoc
from operator import attrgetter

from tree_sitter import Node

from repo_tune_pipeline.chunking.outline import Outline, Span
from repo_tune_pipeline.chunking.parsing import SourceText

_LINE_MARK = re.compile(r"^\s*(?://[/!]*|\#+|--+(?: +[|^](?= |$))?) ?")
_ENCLOSED = re.compile(
    r"\s*(?:--\[(=*)\[(.*)\]\1\]|=begin\b[^\n]*\n(.*)\n=end\b.*"
    r"|\{-(?!\#) ?[|^]?(.*)-\}|@\w+\s+(?:~[sS])?(\"\"\"|\'\'\'|\")(.*)\5)\s*",
    re.DOTALL,
)
"""Comments of Lua and Ruby that have an end, and Elixir's attributes that document."""
_LITERAL = re.compile(r"([A-Za-z]*)(\"\"\"|\'\'\'|\"|\')(.*)\2", re.DOTALL)
_TEXT_PREFIX = frozenset("rRuU")
_STAR = re.compile(r"^\s*\*+ ?")
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
    r"|licen[sc]ed (?:under|to) |permission is hereby granted",
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


@dataclass(frozen=True, slots=True)
class Doc:
    """A docstring: its text without markers, its characters in the file, its first and last row."""

    text: str
    start: int
    end: int
    first_row: int
    last_row: int


@dataclass(frozen=True, slots=True)
class Head:
    """What stands directly above a definition: its first row and the comment that documents it."""

    first_row: int
    doc: Doc | None


def body_doc(source: SourceText, body: Node) -> Doc | None:
    """The string that is a Python body's first statement.

    Taking it out of a body that holds nothing else leaves no valid body: whoever does so has to
    mind that. A trailing ``;`` goes with it.
    """
    children = (body.named_child(at) for at in range(body.named_child_count))
    string = next((child for child in children if child and not child.is_extra), None)
    if string is None or string.type != "string":
        return None
    literal = _LITERAL.fullmatch(source.bytes_text(string.start_byte, string.end_byte))
    if literal is None or not _TEXT_PREFIX.issuperset(literal.group(1)):
        return None
    return _statement_doc(source, string, _clean(literal.group(3)))


def _clean(text: str) -> str:
    return cleandoc(text.replace("\r\n", "\n")).strip()


def _statement_doc(source: SourceText, string: Node, text: str) -> Doc:
    first_row, last_row = string.start_point.row, string.end_point.row
    start = source.offset(first_row, string.start_point.column)
    end = source.offset(last_row, string.end_point.column)
    line_start, line_end = source.starts[first_row], source.starts[last_row + 1]
    before, after = source.text[line_start:start], source.text[end:line_end]
    if not before.strip() and not after.strip():
        start, end = line_start, min(line_end, len(source.text))
    elif after.lstrip().startswith(";"):
        end += len(after) - len(after.lstrip().removeprefix(";").lstrip(" \t"))
    return Doc(text, start, end, first_row, last_row)


def head_above(found: Outline, row: int) -> Head:
    """The contiguous comments and attributes that end on the line above `row`.

    The topmost run of comments that says anything is the documentation.
    """
    spans: list[Span] = []
    while (span := found.above.get(row - 1)) is not None and not is_inner(found.source, span):
        spans.append(span)
        row = span.first_row
    runs: list[list[Span]] = []
    open_run = False
    for span in reversed(spans):
        if span.is_comment and open_run:
            runs[-1].append(span)
        elif span.is_comment:
            runs.append([span])
        open_run = span.is_comment
    docs = (comment_doc(found.source, run) for run in runs)
    return Head(row, next((doc for doc in docs if doc.text), None))


def inner_doc(found: Outline, body: Node) -> Doc | None:
    """The first comment in a type's body that documents what is around it."""
    first = bisect_left(found.margins, body.start_byte, key=attrgetter("start"))
    for span in found.margins[first:]:
        if span.start >= body.end_byte or span.first_row > _INNER_WITHIN + body.start_point.row:
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
    lines: list[str] = []
    for span in run:
        lines.extend(_comment_lines(source.bytes_text(span.start, span.end)))
    text = _clean("\n".join(["", *lines]))
    formal = source.data.startswith(_FORMAL, run[0].start)
    if is_licence(text) or (not formal and is_code(text)):
        text = ""
    end = min(source.starts[last_row + 1], len(source.text))
    return Doc(text, source.starts[first_row], end, first_row, last_row)


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
    enclosed = _ENCLOSED.fullmatch(comment)
    if enclosed is not None:
        inner = next(text for text in enclosed.group(2, 3, 4, 6) if text is not None)
        return cleandoc(inner).split("\n")
    if comment.startswith("@"):
        return []
    if comment.lstrip().startswith("/*"):
        inner = comment.strip()[2:].removesuffix("*/").lstrip("*!")
        lines = [_STAR.sub("", line).rstrip() for line in inner.split("\n")]
        lines[0] = lines[0].lstrip()
    else:
        lines = [_LINE_MARK.sub("", line).rstrip() for line in comment.rstrip().split("\n")]
    return [line for line in lines if not line or not _RULE.fullmatch(line)]

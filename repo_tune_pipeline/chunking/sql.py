"""SQL by its statements: tables, views and types, functions, procedures and triggers.

A routine is read whole if dollar quotes, ``BEGIN … END`` or ``IS … END`` enclose its body; of
several statements with nothing around them only the first is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import Doc, comment_doc
from repo_tune_pipeline.chunking.outline import Span
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.chunking.splitting import Rows, split_rows
from repo_tune_pipeline.chunking.sql_mask import Mask, Statement, mask, statements
from repo_tune_pipeline.records import ChunkKind
from repo_tune_pipeline.settings import ChunkingSettings

_PART = r"(?:\"[^\"\n]++\"|`[^`\n]++`|\[[^\]\n]++\]|[\w$\#]++)"
_HEAD = re.compile(
    r"CREATE\s+(?:(?:OR\s+\w+|TEMP(?:ORARY)?|GLOBAL|LOCAL|UNLOGGED|FOREIGN|EXTERNAL|MATERIALIZED"
    r"|RECURSIVE|VIRTUAL|UNIQUE|FULLTEXT|SPATIAL|CLUSTERED|NONCLUSTERED|CONSTRAINT|AGGREGATE|EVENT"
    r"|EDITIONABLE|NONEDITIONABLE|SQL\s+SECURITY\s+\w+|(?:DEFINER|ALGORITHM)\s*=\s*\S+)\s+){0,6}"
    r"(TABLE|VIEW|TYPE|FUNCTION|PROC(?:EDURE)?|TRIGGER|INDEX)\s+(?:CONCURRENTLY\s+)?"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?({_PART}(?:\s*\.\s*{_PART}){{0,3}})",
    re.IGNORECASE,
)
_TYPES = ("TABLE", "VIEW", "TYPE")
_BODY = {
    "TABLE": re.compile(r"(?P<first>\()|\bAS\b", re.IGNORECASE),
    "TYPE": re.compile(r"(?P<first>\()", re.IGNORECASE),
    "VIEW": re.compile(r"[()]|\bAS\b", re.IGNORECASE),
    "TRIGGER": re.compile(r"[()]|\b(?:AS|BEGIN|EXECUTE)\b", re.IGNORECASE),
    "ROUTINE": re.compile(
        r"[()]|\b(?:AS|IS|BEGIN|RETURN(?!\s+[\w.%]+\s+[AI]S\b))\b", re.IGNORECASE
    ),
}
_COMMENT = re.compile(r"--[^\n]*|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?")
_BLANKS = re.compile(r"\s+")
_COMMAND = re.compile(r"(?:--|/\*)\s*(?:[+@!]|name:|migrate:|liquibase|changeset|sqlfluff)")
"""What speaks to a migration tool or a server, not to a reader."""
_CALL = re.compile(
    r"(?:\b(REFERENCES|INTO|TABLE|EXISTS|INDEX|KEY|ON|UPDATE|JOIN|CONSTRAINT)\s+)?"
    r"(?<![\w.$@])((?:[^\W\d][\w$]*+\.)*+[^\W\d][\w$]*+)\(",
    re.IGNORECASE,
)
_NO_CALL = re.compile(
    r"and|any|as|array|between|bigint|binary|bit|by|char|character|check"
    r"|datetime|datetime2|dec|decimal|distinct|double|enum|except|exists|"
    r"filter|float|from|if|in|index|int|integer|key|mediumint|not|nchar"
    r"|number|numeric|nvarchar|on|or|over|partition|primary|real|select|"
    r"set|smallint|some|table|text|then|time|timestamp|timestamptz|tinyint|"
    r"union|unique|using|values|varbinary|varbit|varchar|varchar2|when|where"
    r"|while|with|within",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(?:SELECT|FROM|WHERE|GROUP|ORDER|HAVING|UNION|INTERSECT|EXCEPT|LIMIT|WITH"
    r"|(?:(?:INNER|CROSS|LEFT|RIGHT|FULL|NATURAL)\s+)?(?:OUTER\s+)?JOIN)\b",
    re.IGNORECASE,
)
_NO_START = re.compile(r"[);]|(?:END|ELSE|ELSE?IF|ELSIF|WHEN|EXCEPTION|THEN)\b", re.IGNORECASE)
_OPENS = re.compile(r"(?:[(,;]|\b(?:BEGIN|THEN|ELSE|LOOP|DECLARE|DO|AS|IS|ATOMIC))$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Definition:
    """A statement that defines something: rows, what and which, and where its body begins."""

    statement: Statement
    word: str
    symbol: str
    rows: Rows
    body: int


class _Layout:
    """A text, its mask, and where its comments stand."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.mask: Mask = mask(source.text)
        self.lines = self.mask.code.split("\n")

    @cached_property
    def comments(self) -> dict[int, Span]:
        """Those that share their lines with nothing and speak to a reader, by their last row."""
        alone: dict[int, Span] = {}
        row = 0
        source = self.source
        for start, end in self.mask.comments:
            while source.starts[row + 1] <= start:
                row += 1
            last = row
            while source.starts[last + 1] < end:
                last += 1
            if _COMMAND.match(source.text, start):
                continue
            if not self.lines[row].strip() and not self.lines[last].strip():
                place = (self._byte(row, start), self._byte(last, end))
                alone.setdefault(last, Span(*place, row, last, True))
        return alone

    def _byte(self, row: int, at: int) -> int:
        before = self.source.text[self.source.starts[row] : at]
        return self.source.byte_starts[row] + len(before.encode("utf-8", "replace"))


def sql_candidates(source: SourceText, settings: ChunkingSettings) -> Iterator[Candidate]:
    """Every table, view, type, function, procedure and trigger that a text creates."""
    layout = _Layout(source)
    for definition in _definitions(layout):
        yield from _candidates(layout, definition, settings)


def _definitions(layout: _Layout) -> Iterator[_Definition]:
    code, text, starts = layout.mask.code, layout.source.text, layout.source.starts
    row = 0
    for statement in statements(layout.mask):
        words = code[statement.start : statement.end]
        start = statement.start + len(words) - len(words.lstrip())
        head = _HEAD.match(text, start, statement.end)
        if head is None:
            continue
        end = statement.start + len(words.rstrip(" \t\r\n\x1f"))
        while starts[row + 1] <= start:
            row += 1
        last = row
        while starts[last + 1] < end:
            last += 1
        word = head.group(1).upper()
        parts = (part.strip().strip('"`[]') for part in re.findall(_PART, head.group(2)))
        yield _Definition(
            Statement(start, end, statement.whole),
            word,
            ".".join(parts),
            (row, last),
            _body(code, word, head.end(), end),
        )


def _body(code: str, word: str, start: int, end: int) -> int:
    """The character with which the signature ends, or -1 where nothing follows it."""
    depth = 0
    for mark in _BODY.get(word, _BODY["ROUTINE"]).finditer(code, start, end):
        if mark.lastgroup:
            return mark.start()
        if mark.group() in "()":
            depth += 1 if mark.group() == "(" else -1
        elif depth <= 0:
            return mark.start()
    return -1


def _candidates(
    layout: _Layout, definition: _Definition, settings: ChunkingSettings
) -> Iterator[Candidate]:
    source, (top, last), symbol = layout.source, definition.rows, definition.symbol
    first, doc = _head(layout, top)
    rows = (first, last)
    if not definition.statement.whole:
        yield refusal("syntax_error", rows, symbol)
        return
    if definition.body < 0 or top == last or definition.word == "INDEX":
        yield refusal("trivial", rows, symbol)
        return
    start = definition.statement.start
    text = _COMMENT.sub(" ", source.text[start : definition.body])
    cuts = _cut_rows(layout, definition)
    kind: ChunkKind = "type" if definition.word in _TYPES else "function"
    parts = split_rows(source, rows, cuts, settings.max_chunk_chars)
    if not parts:
        yield refusal("too_long", rows, symbol)
    for number, part in enumerate(parts, 1):
        yield piece_of(
            source,
            part,
            kind=kind,
            symbol=symbol,
            signature=_BLANKS.sub(" ", text).strip().removesuffix(" AS"),
            doc=doc if number == 1 else None,
            cut_rows=[row for row in cuts if part[0] < row <= part[1]],
            callees=_callees(layout, definition, part),
            part=(number, len(parts)),
        )


def _head(layout: _Layout, row: int) -> tuple[int, Doc | None]:
    """The first row of the comments that stand directly above, and what they say."""
    run: list[Span] = []
    while (span := layout.comments.get(row - 1)) is not None:
        run.append(span)
        row = span.first_row
    doc = comment_doc(layout.source, run[::-1]) if run else None
    return row, doc if doc is not None and doc.text else None


def _callees(layout: _Layout, definition: _Definition, part: Rows) -> tuple[str, ...]:
    starts = layout.source.starts
    begin = max(definition.body, starts[part[0]])
    end = min(definition.statement.end, starts[part[1] + 1])
    names = (
        layout.source.text[slice(*call.span(2))].replace('"', "").replace("`", "")
        for call in _CALL.finditer(layout.mask.code, begin, end)
        if not call.group(1) and not _NO_CALL.fullmatch(call.group(2))
    )
    return tuple(sorted(set(names)))


def _cut_rows(layout: _Layout, definition: _Definition) -> list[int]:
    """The rows on which a column, a clause or a statement of a body begins."""
    code, starts = layout.mask.code, layout.source.starts
    head_row = definition.rows[0] + code.count("\n", definition.statement.start, definition.body)
    cuts: list[int] = []
    before = ""
    for row in range(definition.rows[0], definition.rows[1] + 1):
        line = layout.lines[row].strip()
        at = starts[row] + len(layout.lines[row]) - len(layout.lines[row].lstrip())
        begins = not layout.source.text[starts[row] : at].strip()
        if line and begins and row > head_row and not _NO_START.match(line):
            opened = _OPENS.search(before[-20:]) is not None
            if opened or _CLAUSE.match(line):
                cuts.append(row)
        before = line or before
    return cuts

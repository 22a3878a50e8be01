"""What one syntax tree holds, by place: definitions, comments, statements, calls, imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, cast

from tree_sitter import Node

from repo_tune_pipeline.chunking.callees import Calls, TextCalls, TreeCalls
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES
from repo_tune_pipeline.chunking.parsing import Captures, SourceText
from repo_tune_pipeline.chunking.patterns import query_of
from repo_tune_pipeline.chunking.survey import Margin, Survey, everywhere, loaded

Role = Literal["function", "method", "type", "test", "module", "owner", "signature"]

_LONGEST_IMPORT = 5_000
"""Bytes; a longer one is no import that a person wrote."""
_TYPE_NAME = re.compile(r"(?<!['\w])(?!(?:mut|dyn|impl|const)\b)[\w:.]+")


class Definition(NamedTuple):
    """What can become a chunk, or (module, owner) only qualifies others' names.

    Attributes:
        receiver: the type that a method names itself instead of standing inside it, or empty.
        start: its first byte.
        end: the byte after it.
        outer_start: likewise with what belongs to it: ``export``, decorators.
        outer_end: likewise.
        node: the definition, or the last of those that were joined.
        body: the node with which the signature ends; None for a mere declaration.
        is_broken: whether a syntax error is inside it.
    """

    role: Role
    name: str
    receiver: str
    start: int
    end: int
    outer_start: int
    outer_end: int
    node: Node
    body: Node | None
    is_broken: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (self.receiver, self.name) if self.receiver else (self.name,)


class Span(NamedTuple):
    """Where a comment or attribute stands: bytes [start, end), and its rows."""

    start: int
    end: int
    first_row: int
    last_row: int
    is_comment: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """The captures of one file.

    Attributes:
        definitions: outer ones before inner ones, by first byte.
        margins: comments and attributes by first byte.
        margin_starts: their first bytes.
        above: those that have their last line to themselves, by that line's row.
        statement_rows: ascending rows whose first token begins a statement; not those below an
            attribute, which a cut would part from what it belongs to.
        calls: what is called where.
        imports: module names, sorted and unique.
    """

    source: SourceText
    definitions: tuple[Definition, ...]
    margins: Sequence[Span]
    margin_starts: Sequence[int]
    above: dict[int, Span]
    statement_rows: Sequence[int]
    calls: Calls
    imports: tuple[str, ...]


_Defined = list[tuple[str, Captures]]


def outline(source: SourceText, root: Node, language: str) -> Outline:
    """Sort what a language's query finds in one file by what it tells."""
    row, query = CODE_LANGUAGES[language], query_of(language)
    seen = Survey(root, source, query)
    imports = seen.imports
    if row.calls is None:
        found = everywhere(query, root, source)
        imports += [node for kind, match in found if kind == "import" for node in match[kind]]
        calls = TreeCalls(source, row.name_marks, found, _defined(seen.matches))
    else:
        calls = TextCalls(source, row.calls, query.called)
        imports += loaded(query, root, source)
    margins = _spans(source, seen.margins)
    above = _alone(source, margins)
    rows = source.rows_of(seen.starts)
    rows.difference_update(row + 1 for row, span in above.items() if not span.is_comment)
    return Outline(
        source=source,
        definitions=_definitions(source, seen.matches),
        margins=margins,
        margin_starts=[span.start for span in margins],
        above=above,
        statement_rows=sorted(rows),
        calls=calls,
        imports=_imports(source, imports, language),
    )


def _defined(matches: _Defined) -> frozenset[int]:
    """Where the names stand that something is defined by: those aren't called."""
    return frozenset(match["name"][0].start_byte for _kind, match in matches if "name" in match)


def _imports(source: SourceText, nodes: Iterable[Node], language: str) -> tuple[str, ...]:
    found: set[str] = set()
    for node in nodes:
        start, end = node.start_byte, node.end_byte
        if end - start <= _LONGEST_IMPORT:
            found.update(_imported(language, source.bytes_text(start, end)))
    return tuple(sorted(found))


@lru_cache(maxsize=10_000)
def _imported(language: str, text: str) -> tuple[str, ...]:
    """The names in an import; many files have the same."""
    return tuple(CODE_LANGUAGES[language].imports(text))


def _spans(source: SourceText, margins: Iterable[Margin]) -> list[Span]:
    spans: list[Span] = []
    for start, end, is_comment in sorted(margins):
        first, last = source.row_of(start), source.last_row(start, end)
        spans.append(Span(start, end, first, last, is_comment))
    return spans


def _alone(source: SourceText, margins: Iterable[Span]) -> dict[int, Span]:
    """The margins that begin a line and share their last one with nothing, by last row.

    Of several on one line the first stands for all.
    """
    alone: dict[int, Span] = {}
    for span in margins:
        taken = span.last_row in alone or not source.begins_row(span.start, span.first_row)
        if not taken and _ends_line(source, span):
            alone[span.last_row] = span
    return alone


def _ends_line(source: SourceText, span: Span) -> bool:
    data, end = source.data, span.end
    if data[end : end + 1] in b"\n" or data[end - 1 : end] == b"\n":
        return True
    line_end = data.find(b"\n", end)
    rest = data[end : line_end if line_end >= 0 else None].strip()
    return not rest or rest.startswith(b"//") or (rest.startswith(b"#[") and rest.endswith(b"]"))


def _name(source: SourceText, role: Role, match: Captures) -> str:
    if "name" not in match:
        return "default"
    names = match["name"]
    text = source.bytes_text(names[0].start_byte, names[-1].end_byte)
    if not text.isidentifier():
        text = " ".join(text.split())
    if role == "owner":
        return _bare_type(text)
    return text.strip("\"'`") if text.startswith(('"', "'", "`")) else text


def _bare_type(text: str) -> str:
    """The name in a type such as ``&'a mut crate::Store<T>`` or ``*Server[T]``."""
    name = _TYPE_NAME.search(text)
    return name.group() if name else text


def _receiver(source: SourceText, match: Captures) -> str:
    if "receiver" not in match:
        return ""
    return _bare_type(source.bytes_text(*match["receiver"][0].byte_range))


def _definitions(source: SourceText, others: _Defined) -> tuple[Definition, ...]:
    found: dict[tuple[int, int], Definition] = {}
    wrappers = {
        match["wrapped"][0].byte_range: match["wrapper"][0].byte_range
        for kind, match in others
        if kind == "wrapper"
    }
    for kind, match in others:
        if kind == "wrapper":
            continue
        node = match[kind][0]
        place = node.byte_range
        if place in found and (found[place].body is not None or "body" not in match):
            continue
        role = cast("Role", kind)
        body = match["body"][0] if "body" in match else None
        name, receiver = _name(source, role, match), _receiver(source, match)
        outer = wrappers.get(place, place)
        found[place] = Definition(role, name, receiver, *place, *outer, node, body, node.has_error)
    ordered = sorted(found, key=lambda place: (place[0], -place[1]))
    return tuple(found[place] for place in ordered)

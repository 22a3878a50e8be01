"""What one syntax tree holds, by place: definitions, comments, statements, calls, imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tree_sitter import Node

from repo_tune_pipeline.chunking.callees import CalleeNames
from repo_tune_pipeline.chunking.languages import CodeLanguage
from repo_tune_pipeline.chunking.parsing import Captures, SourceText

Role = Literal["function", "method", "type", "test", "module", "owner"]
ROLES: tuple[Role, ...] = ("function", "method", "type", "test", "module", "owner")
FUNCTIONS = frozenset({"function", "method", "test"})

_DEEPEST_INDENT = 1_000
_LONGEST_IMPORT = 5_000
"""Bytes; a longer one is no import that a person wrote."""
_TYPE_NAME = re.compile(r"(?<!['\w])(?!(?:mut|dyn|impl|const)\b)[\w:.]+")


@dataclass(frozen=True, slots=True)
class Definition:
    """A node that can become a chunk, or (module, owner) that only qualifies others' names.

    Attributes:
        receiver: the type that a method names itself instead of standing inside it, or empty.
        outer: the node with what belongs to it (``export``, decorators); mostly `node` itself.
        body: the node with which the signature ends; None for a mere declaration.
    """

    role: Role
    name: str
    receiver: str
    node: Node
    outer: Node
    body: Node | None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.receiver, self.name) if self.receiver else (self.name,)


class Span(NamedTuple):
    """Where a comment or attribute stands: bytes [start, end), its rows, its column."""

    start: int
    end: int
    first_row: int
    last_row: int
    column: int
    is_comment: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """The captures of one file.

    Attributes:
        definitions: outer ones before inner ones, by first byte.
        margins: comments and attributes by first byte.
        above: those that have their last line to themselves, by that line's row.
        statement_rows: ascending rows whose first token begins a statement; not those below an
            attribute, which a cut would part from what it belongs to.
        callees: first byte and name of each call, by first byte.
        imports: module names, sorted and unique.
    """

    source: SourceText
    definitions: tuple[Definition, ...]
    margins: tuple[Span, ...]
    above: dict[int, Span]
    statement_rows: tuple[int, ...]
    callees: tuple[tuple[int, str], ...]
    imports: tuple[str, ...]


def outline(
    source: SourceText, matches: Iterable[tuple[int, Captures]], language: CodeLanguage
) -> Outline:
    """Sort the matches of a language's query on one file by what they tell."""
    defined: list[tuple[Role, Captures]] = []
    wrappers: dict[tuple[int, int], Node] = {}
    margins: list[Span] = []
    rows: set[int] = set()
    callees: list[tuple[int, str]] = []
    imported: set[str] = set()
    names = CalleeNames(source)
    for _pattern, match in matches:
        if "callee" in match:
            node = match["callee"][0]
            callees.append((node.start_byte, names.of(node.start_byte, node.end_byte)))
        elif "statements" in match:
            rows.update(_first_rows(source, match["statements"][0]))
        elif "call" in match:
            node = match["call"][0]
            end = match["arguments"][0].start_byte
            callees.append((node.start_byte, names.of(node.start_byte, end)))
        elif "comment" in match:
            margins.append(_span(match["comment"][0], True))
        elif "attribute" in match:
            margins.append(_span(match["attribute"][0], False))
        elif "import" in match:
            node = match["import"][0]
            if node.end_byte - node.start_byte <= _LONGEST_IMPORT:
                imported.update(language.imports(_captured(source, node)))
        elif "wrapper" in match:
            wrapped = match["wrapped"][0]
            wrappers[wrapped.start_byte, wrapped.end_byte] = match["wrapper"][0]
        else:
            defined.append((next(role for role in ROLES if role in match), match))
    margins.sort()
    above = _alone(source, margins)
    rows.difference_update(row + 1 for row, span in above.items() if not span.is_comment)
    return Outline(
        source=source,
        definitions=_definitions(source, defined, wrappers),
        margins=tuple(margins),
        above=above,
        statement_rows=tuple(sorted(rows)),
        callees=tuple(sorted(callees)),
        imports=tuple(sorted(imported)),
    )


def _first_rows(source: SourceText, block: Node) -> Iterator[int]:
    """The rows that begin with a child of `block`, comments aside."""
    for node in block.named_children:
        row, column = node.start_point
        if _begins_line(source, row, column) and not node.is_extra:
            yield row


def _begins_line(source: SourceText, row: int, column: int) -> bool:
    """Whether only blanks stand before a byte column; looking is cheap on endless lines too."""
    return not column or (column <= _DEEPEST_INDENT and source.lines[row][:column].isspace())


def last_row(node: Node) -> int:
    """The row of a node's last character; a line's end that the node includes isn't one."""
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point.row else row


def _span(node: Node, is_comment: bool) -> Span:
    row, column = node.start_point
    return Span(node.start_byte, node.end_byte, row, last_row(node), column, is_comment)


def _alone(source: SourceText, margins: Iterable[Span]) -> dict[int, Span]:
    """The margins that begin a line and share their last one with nothing, by last row.

    Of several on one line the first stands for all.
    """
    alone: dict[int, Span] = {}
    for span in margins:
        begins_line = _begins_line(source, span.first_row, span.column)
        if begins_line and span.last_row not in alone and _ends_line(source, span):
            alone[span.last_row] = span
    return alone


def _ends_line(source: SourceText, span: Span) -> bool:
    line_end = source.data.find(b"\n", span.end)
    if source.data[span.end - 1 : span.end] == b"\n":
        return True
    rest = source.data[span.end : line_end if line_end >= 0 else None].strip()
    return not rest or rest.startswith(b"//") or (rest.startswith(b"#[") and rest.endswith(b"]"))


def _name(source: SourceText, role: Role, match: Captures) -> str:
    if "name" not in match:
        return "default"
    text = _captured(source, match["name"][0])
    return _bare_type(text) if role == "owner" else text.strip("\"'`")


def _captured(source: SourceText, node: Node) -> str:
    return source.bytes_text(node.start_byte, node.end_byte)


def _bare_type(text: str) -> str:
    """The name in a type such as ``&'a mut crate::Store<T>`` or ``*Server[T]``."""
    name = _TYPE_NAME.search(text)
    return name.group() if name else text


def _definitions(
    source: SourceText,
    defined: Iterable[tuple[Role, Captures]],
    wrappers: dict[tuple[int, int], Node],
) -> tuple[Definition, ...]:
    found: dict[tuple[int, int], Definition] = {}
    for role, match in defined:
        node = match[role][0]
        place = (node.start_byte, node.end_byte)
        if place in found and (found[place].body is not None or "body" not in match):
            continue
        found[place] = Definition(
            role=role,
            name=_name(source, role, match),
            receiver=(
                _bare_type(_captured(source, match["receiver"][0])) if "receiver" in match else ""
            ),
            node=node,
            outer=wrappers.get(place, node),
            body=match["body"][0] if "body" in match else None,
        )
    ordered = sorted(found, key=lambda place: (place[0], -place[1]))
    return tuple(found[place] for place in ordered)

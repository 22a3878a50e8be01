"""What one syntax tree holds, by place: definitions, comments, statements, calls, imports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tree_sitter import Node

from repo_tune_pipeline.chunking.callees import CalleeNames
from repo_tune_pipeline.chunking.languages import CodeLanguage
from repo_tune_pipeline.chunking.parsing import Captures, SourceText, Stretch

Role = Literal["function", "method", "type", "test", "module", "owner", "signature"]
ROLES: tuple[Role, ...] = (
    "function",
    "method",
    "type",
    "test",
    "module",
    "owner",
    "signature",
)
FUNCTIONS = frozenset({"function", "method", "test"})

_BLANKS = re.compile(r"\s+")
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
    node: Node | Stretch
    outer: Node | Stretch
    body: Node | None

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
    source: SourceText,
    matches: Iterable[tuple[int, Captures]],
    details: Captures,
    language: CodeLanguage,
) -> Outline:
    """Sort what a language's two queries find in one file by what it tells."""
    defined: list[tuple[Role, Captures]] = []
    wrappers: dict[tuple[int, int], Node] = {}
    names = CalleeNames(source, language.name_marks)
    callees = [(node.start_byte, names.of(node)) for node in details.get("callee", ())]
    for _pattern, match in matches:
        if "call" in match:
            node = match["call"][0]
            name = names.before(node.start_byte, match["arguments"][0].start_byte)
            callees.append((node.start_byte, name))
        elif "wrapper" in match:
            wrapped = match["wrapped"][0]
            wrappers[wrapped.start_byte, wrapped.end_byte] = match["wrapper"][0]
        else:
            defined.append((next(role for role in ROLES if role in match), match))
    named = {match["name"][0].start_byte for _role, match in defined if "name" in match}
    margins = [_span(node, True) for node in details.get("comment", ())]
    margins += [_span(node, False) for node in details.get("attribute", ())]
    margins.sort()
    above = _alone(source, margins)
    rows = _first_rows(source, details.get("statements", ()))
    rows.difference_update(row + 1 for row, span in above.items() if not span.is_comment)
    return Outline(
        source=source,
        definitions=_definitions(source, defined, wrappers),
        margins=tuple(margins),
        above=above,
        statement_rows=tuple(sorted(rows)),
        callees=tuple(sorted(each for each in callees if each[0] not in named)),
        imports=_imports(source, details.get("import", ()), language),
    )


def _imports(source: SourceText, nodes: Iterable[Node], language: CodeLanguage) -> tuple[str, ...]:
    found: set[str] = set()
    for node in nodes:
        if node.end_byte - node.start_byte <= _LONGEST_IMPORT:
            found.update(language.imports(_captured(source, node)))
    return tuple(sorted(found))


def _first_rows(source: SourceText, blocks: Iterable[Node]) -> set[int]:
    """The rows that begin with a child of one of `blocks`, comments aside."""
    row_of = source.row_of_first_byte
    return {
        row_of[node.start_byte]
        for block in blocks
        for node in block.named_children
        if node.start_byte in row_of and not node.is_extra
    }


def last_row(node: Node | Stretch) -> int:
    """The row of a node's last character; a line's end that the node includes isn't one.

    Its last token tells: a block that indentation closes reaches into the line below.
    """
    first = node.start_point.row
    while (last := node.child(node.child_count - 1) if node.child_count else None) is not None:
        node = last
    row, column = node.end_point
    return row - 1 if column == 0 and row > first else row


def _span(node: Node, is_comment: bool) -> Span:
    first = node.start_point.row
    return Span(node.start_byte, node.end_byte, first, last_row(node), is_comment)


def _alone(source: SourceText, margins: Iterable[Span]) -> dict[int, Span]:
    """The margins that begin a line and share their last one with nothing, by last row.

    Of several on one line the first stands for all.
    """
    alone: dict[int, Span] = {}
    for span in margins:
        begins_line = span.start in source.row_of_first_byte
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
    first, last = match["name"][0], match["name"][-1]
    text = _BLANKS.sub(" ", source.bytes_text(first.start_byte, last.end_byte))
    if role == "owner":
        return _bare_type(text)
    return text.strip("\"'`") if text.startswith(('"', "'", "`")) else text


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

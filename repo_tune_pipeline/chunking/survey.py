"""The walk over a syntax tree: what stands where, without a look at most of the nodes.

Only nodes of several rows are entered, since one row holds no statement that begins a row. So
definitions are seen wherever they begin a row, or are a child of what spans several.
"""

from __future__ import annotations

from collections.abc import Iterable

from tree_sitter import Node, QueryCursor

from repo_tune_pipeline.chunking.parsing import Captures, SourceText, called_in, matches
from repo_tune_pipeline.chunking.patterns import (
    ASKED,
    ASKED_INSIDE,
    ATTRIBUTE,
    BLOCK,
    COMMENT,
    IMPORT,
    MARGIN,
    OPAQUE,
    OPEN,
    FileQuery,
)

FUNCTIONS = frozenset({"function", "method", "test"})

_LEAF = IMPORT | OPAQUE
_ENTERED = BLOCK | OPEN
_CLOSED = _LEAF | MARGIN
_NOTED_INSIDE = ATTRIBUTE | IMPORT | ASKED_INSIDE
_SHORTEST = 4
"""Bytes; what is shorter is no block with a statement."""

Margin = tuple[int, int, bool]
"""A comment or attribute: its bytes [start, end), and whether it is a comment."""


class Survey:
    """What a walk has found; of what is inside functions only statements and imports.

    Attributes:
        matches: definitions and what wraps them: the capture that tells it, and all captures.
        margins: comments and attributes, in any order.
        starts: first byte of each row that begins with a statement, in any order; a byte may
            be there twice.
        imports: the nodes.
    """

    def __init__(self, root: Node, source: SourceText, query: FileQuery) -> None:
        self.matches: list[tuple[str, Captures]] = []
        self.margins: list[Margin] = []
        self.starts: list[int] = []
        self.imports: list[Node] = []
        self._data = source.data
        self._query = query
        self._cursor = QueryCursor(query.asked.query)
        self._cursor.set_max_start_depth(0)
        self._called = called_in(source)
        self._functions: dict[int, int] = {}
        self._inside(self._outside(root))

    def _outside(self, root: Node) -> list[Node]:
        """Walk what isn't inside functions, and return these."""
        rules, functions, find = self._query.rules, self._functions, self._data.find
        bodies, margins = list[Node](), self.margins
        self._look(root, rules[root.kind_id])
        todo = [root]
        while todo:
            node = todo.pop()
            children = node.named_children
            if rules[node.kind_id] & BLOCK:
                self._begin(children)
            for child in children:
                start, end = child.start_byte, child.end_byte
                rule = rules[child.kind_id]
                if rule:
                    if rule & MARGIN:
                        margins.append((start, end, rule & COMMENT != 0))
                        continue
                    if self._look(child, rule):
                        todo.append(child)
                        continue
                    if rule & _CLOSED:
                        continue
                if start in functions and functions[start] == end:
                    bodies.append(child)
                elif find(b"\n", start, end) >= 0:
                    todo.append(child)
        return bodies

    def _inside(self, todo: list[Node]) -> None:
        """Walk what is inside functions."""
        rules, data = self._query.rules, self._data
        find, rfind, begun = data.find, data.rfind, self.starts.append
        blocks = [node for node in todo if rules[node.kind_id] & BLOCK]
        others = [node for node in todo if not rules[node.kind_id] & BLOCK]
        while blocks or others:
            in_block = bool(blocks)
            for child in (blocks or others).pop().named_children:
                start, end = child.start_byte, child.end_byte
                rule = rules[child.kind_id]
                if in_block and not rule & COMMENT:
                    line = rfind(b"\n", 0, start) + 1
                    if (line == start or data[line:start].isspace()) and not child.is_extra:
                        begun(line)
                if rule:
                    if rule & _NOTED_INSIDE:
                        self._look(child, rule & ~COMMENT)
                    if rule & BLOCK:
                        blocks.append(child)
                        continue
                    if rule & _CLOSED:
                        continue
                if end - start > _SHORTEST and find(b"\n", start, end) >= 0:
                    others.append(child)

    def _look(self, node: Node, rule: int) -> bool:
        """Note what a node is; whether it is to be entered whatever its rows."""
        if rule & MARGIN:
            self.margins.append((node.start_byte, node.end_byte, rule & COMMENT != 0))
        elif rule & IMPORT:
            self.imports.append(node)
        elif rule & ASKED and self._ask(node):
            return True
        return rule & _ENTERED != 0 and (node.start_byte not in self._functions)

    def _ask(self, node: Node) -> bool:
        entered = False
        kinds = self._query.asked.kinds
        for pattern, match in self._cursor.matches(node, self._called):
            kind = kinds[pattern]
            if kind in ("comment", "attribute"):
                self._look(match[kind][0], COMMENT if kind == "comment" else ATTRIBUTE)
            elif kind == "import":
                self.imports += match[kind]
            elif kind == "statements":
                self._begin(match[kind][0].named_children)
            else:
                self.matches.append((kind, match))
                entered = True
                if "body" in match:
                    self._body(kind, match[kind][0], match["body"][0])
        return entered

    def _body(self, kind: str, node: Node, body: Node) -> None:
        start = body.start_byte
        if kind in FUNCTIONS:
            self._functions[start] = body.end_byte
        at, find = node.start_byte, self._data.find
        if find(b"/*", at, start) >= 0 or find(b"{-", at, start) >= 0:
            self._comments(node.named_children, start)

    def _comments(self, nodes: Iterable[Node], end: int) -> None:
        """Note the comments before a byte that end on their row, where the walk doesn't enter."""
        find, rules = self._data.find, self._query.rules
        todo = [(node, False) for node in nodes]
        while todo:
            node, hidden = todo.pop()
            start = node.start_byte
            if start >= end:
                continue
            if rules[node.kind_id] & COMMENT:
                if hidden:
                    self._look(node, COMMENT)
                continue
            hidden = hidden or find(b"\n", start, node.end_byte) < 0
            todo += [(child, hidden) for child in node.named_children]

    def _begin(self, nodes: Iterable[Node]) -> None:
        """Note the rows that begin with one of some statements."""
        data, starts = self._data, self.starts
        rfind = data.rfind
        for node in nodes:
            at = node.start_byte
            start = rfind(b"\n", 0, at) + 1
            if (start == at or data[start:at].isspace()) and not node.is_extra:
                starts.append(start)


def everywhere(query: FileQuery, root: Node, source: SourceText) -> list[tuple[str, Captures]]:
    """The calls and imports in a file of a language where every node is asked for them."""
    if query.everywhere is None:
        return []
    kinds = query.everywhere.kinds
    return [
        (kinds[pattern], match) for pattern, match in matches(query.everywhere.query, root, source)
    ]


def loaded(query: FileQuery, root: Node, source: SourceText) -> list[Node]:
    """What functions import that are named in the query, wherever they are called."""
    found: list[Node] = []
    cursor = QueryCursor(query.asked.query)
    cursor.set_max_start_depth(0)
    for loader in query.loaders:
        at = source.data.find(loader)
        while at >= 0:
            end = at + len(loader) + 1
            node = root.named_descendant_for_byte_range(at, end)
            if node is not None and node.kind_id in query.called:
                for _pattern, match in cursor.matches(node, called_in(source)):
                    found += match.get("import", ())
            at = source.data.find(loader, end)
    return found

"""Where the items of a ReScript file stand, told by its layout alone.

An item is what begins a line at the indent of the module around it, outside brackets, strings and
comments. The formatter that the language's compiler carries sets one item a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.chunking.rescript_mask import mask

ATTRIBUTE = re.compile(r"@@?[\w.]++(?:\([^()\n]*+\))?\s*+")
_BRACKET = re.compile(r"[()\[\]{}]")
_ITEM = re.compile(r"[^\W\d]|[@%(\[{<\"`]")
_HEAD = re.compile(
    r"(?:export\s+)?(let|and|type|module|external|exception|open|include)\b"
    r"\s*(?:rec\b|type\b)?\s*(?:rec\b\s*)?([\w']*)"
)
_TEST = re.compile(r"(?:\w+\.)*(test\w*|it|describe\w*)\(\s*[\"`]")
_OPENED = re.compile(r"^\s*(?:open|include)!?[ \t]+([A-Z][\w.]*)", re.MULTILINE)
_QUOTED = re.compile(r"@module\(\s*\"([^\"\n]{1,200})\"")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where items are looked for: rows [first, after), their depth and indent, what qualifies."""

    first: int
    after: int
    depth: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A definition's rows, with the attributes above it but not the comments."""

    word: str
    name: str
    first_row: int
    head_row: int
    last_row: int


class Layout:
    """A text's lines without strings and comments, and the brackets open where each begins."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        masked = mask(source.text)
        self.code = masked.code
        self.comments = masked.comments
        self.lines = masked.code.split("\n")
        self.indents = [len(line) - len(line.lstrip()) for line in self.lines]
        self.depths, self.openers = self._brackets()

    def _brackets(self) -> tuple[list[int], list[int]]:
        """For each row how many brackets are open, and the row of the innermost if it is ``{``.

        A definition at column 0 closes whatever was left open above it.
        """
        depths: list[int] = []
        openers: list[int] = []
        stack: list[int] = []
        for row, line in enumerate(self.lines):
            if stack and line.startswith(("let ", "module ", "type ", "external ")):
                stack.clear()
            depths.append(len(stack))
            openers.append(stack[-1] if stack else -1)
            for bracket in _BRACKET.findall(line):
                if bracket in "([{":
                    stack.append(row if bracket == "{" else -1)
                elif stack:
                    stack.pop()
        return depths, openers

    @cached_property
    def comment_rows(self) -> dict[int, int]:
        """The first row of each comment that shares its lines with nothing, by its last row."""
        alone: dict[int, int] = {}
        row = 0
        starts = self.source.starts
        for start, end in self.comments:
            while starts[row + 1] <= start:
                row += 1
            last = row
            while starts[last + 1] < end:
                last += 1
            if not self.lines[row].strip() and not self.lines[last].strip():
                alone.setdefault(last, row)
        return alone

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """Modules opened or included, and JavaScript modules bound."""
        found = {match.group(1) for match in _OPENED.finditer(self.code)}
        for match in re.finditer(r"@module\(", self.code):
            quoted = _QUOTED.match(self.source.text, match.start())
            if quoted is not None:
                found.add(quoted.group(1))
        return tuple(sorted(found))


def items_of(layout: Layout, scope: Scope) -> Iterator[Item]:
    """The items of a scope, each up to the next one's attributes and comments."""
    indent: int | None = None
    begun: list[Item] = []
    first: int | None = None
    word = ""
    for row in range(scope.first, scope.after):
        line = layout.lines[row]
        if layout.depths[row] != scope.depth or not line.strip():
            continue
        indent = layout.indents[row] if indent is None else indent
        if layout.indents[row] != indent or _ITEM.match(line, indent) is None:
            continue
        first = row if first is None else first
        at = indent
        while (attribute := ATTRIBUTE.match(line, at)) is not None:
            at = attribute.end()
        if at >= len(line):
            continue
        item = _item(layout, row, at, first, word)
        word = item.word
        begun.append(item)
        first = None
    after = [*(each.first_row for each in begun[1:]), scope.after]
    for item, end in zip(begun, after, strict=False):
        yield replace(item, last_row=_last_row(layout, item.head_row, end))


def _item(layout: Layout, row: int, at: int, first: int, before: str) -> Item:
    head = _HEAD.match(layout.lines[row], at)
    if head is not None:
        word = before if head.group(1) == "and" else head.group(1)
        return Item(word, head.group(2), first, row, row)
    test = _TEST.match(layout.lines[row], at)
    if test is None:
        return Item("", "", first, row, row)
    word = "describe" if test.group(1).startswith("describe") else "test"
    quoted = layout.source.lines[row][test.end() :]
    return Item(word, re.split(r"[\"`]", quoted, maxsplit=1)[0], first, row, row)


def _last_row(layout: Layout, first: int, after: int) -> int:
    row = after - 1
    while row > first and not layout.lines[row].strip():
        row -= 1
    return row


def scope_in(layout: Layout, scope: Scope, item: Item) -> Scope | None:
    """What a module or a group of tests holds."""
    if item.word not in ("module", "describe") or item.last_row == item.head_row:
        return None
    depth = scope.depth + (1 if item.word == "module" else 2)
    rows = range(item.head_row + 1, item.last_row + 1)
    first = next((row for row in rows if layout.lines[row - 1].rstrip().endswith("{")), None)
    if first is None or layout.depths[first] != depth:
        return None
    return Scope(first, item.last_row, depth, (*scope.names, item.name))

"""ReScript by its layout: each item of a file to a chunk, or the reason why there is none.

Functions inside functions stay inside; what a module holds is found beside the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import Doc
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.chunking.rescript_layout import (
    ATTRIBUTE,
    Item,
    Layout,
    Scope,
    items_of,
    scope_in,
)
from repo_tune_pipeline.chunking.splitting import Rows, split_rows
from repo_tune_pipeline.records import ChunkKind
from repo_tune_pipeline.settings import ChunkingSettings

_MARK = re.compile(r"[()\[\]{}]|=>|==+|[<>!]=|=(?!\?)")
_WRAPPED = re.compile(r"\s*[\w.]+\(\s*(?:async\s+)?(?:\([^()]*+\)|\w+)\s*=>")
_CALL = re.compile(
    r"(?<![\w.@%#])(?:[^\W\d]\w*+\.)*+([^\W\d]\w*+)(?=\()"
    r"|->\s*+((?:[^\W\d]\w*+\.)*+[a-z_]\w*+)"
    r"|(?<!\w)<([A-Z]\w*+(?:\.\w++)*+)(?=[\s/>])"
)
_KEYWORDS = frozenset({"if", "switch", "while", "for", "in", "to", "else", "assert", "async"})
_NO_STATEMENT = re.compile(r"[)\]}>?:&|+*,.=-]|</|/>|[\w']+\??:(?!:)|\.\.\.")
_GOES_ON = (",", "=", "&&", "||", "+", "(", "[", "?", ":", "->")
_ELEMENT = re.compile(r"\s*(?:<[A-Za-z>]|\{)")
_STARS = re.compile(r"^\s*\*+ ?")
_SLASHES = re.compile(r"^\s*//+ ?")
_BLANKS = re.compile(r"\s+")


def rescript_candidates(source: SourceText, settings: ChunkingSettings) -> Iterator[Candidate]:
    """Every function, type, module and test of a ReScript file, and why any other item is none."""
    layout = Layout(source)
    scopes = [Scope(0, len(layout.lines), 0, ())]
    while scopes:
        scope = scopes.pop()
        for item in items_of(layout, scope):
            inner = scope_in(layout, scope, item)
            if inner is not None:
                scopes.append(inner)
            if item.word not in ("open", "include", "describe", ""):
                yield from _candidates(layout, scope, item, settings)


def _candidates(
    layout: Layout, scope: Scope, item: Item, settings: ChunkingSettings
) -> Iterator[Candidate]:
    """One item: a piece, its parts, or the reason why there is none."""
    source = layout.source
    doc = _doc_above(layout, item.first_row)
    rows = (doc.first_row if doc else item.first_row, item.last_row)
    symbol = ".".join((*scope.names, item.name))
    start = source.starts[item.head_row] + layout.indents[item.head_row]
    end = source.starts[item.last_row + 1] - 1
    kind, head_end = _kind(layout, item, start, end)
    if kind is None or not item.name or item.name == "_":
        yield refusal("not_a_definition", rows, symbol)
        return
    if item.head_row == item.last_row or item.word in ("external", "exception"):
        yield refusal("trivial", rows, symbol)
        return
    cuts = _cut_rows(layout, item, item.head_row + layout.code.count("\n", start, head_end))
    parts = _parts(layout, rows, cuts, kind, settings.max_chunk_chars)
    if not parts:
        yield refusal("too_long", rows, symbol)
    for number, (first, last) in enumerate(parts, 1):
        begin = max(head_end, source.starts[first])
        yield piece_of(
            source,
            (first, last),
            kind=kind,
            symbol=symbol,
            signature=_signature(layout, start, head_end),
            doc=doc if doc is not None and doc.text and number == 1 else None,
            cut_rows=[row for row in cuts if first < row <= last],
            callees=_callees(layout, begin, min(end, source.starts[last + 1])),
            imports=layout.imports,
            attributes=_attributes(layout, item),
            part=(number, len(parts)),
        )


def _parts(
    layout: Layout, rows: Rows, cuts: Sequence[int], kind: ChunkKind, limit: int
) -> list[Rows]:
    """The rows of one item, cut where they are too long: between statements or, where a statement
    is itself too long, between the elements of its markup. A long module is cut into its items.
    """
    source = layout.source
    if kind == "type":
        return [rows] if source.size(*rows) <= limit else []
    parts = split_rows(source, rows, cuts, limit)
    if parts or not cuts:
        return parts
    inside = range(cuts[0], rows[1] + 1)
    markup = {row for row in inside if _ELEMENT.match(layout.lines[row])}
    return split_rows(source, rows, sorted(markup.union(cuts)), limit)


def _kind(layout: Layout, item: Item, start: int, end: int) -> tuple[ChunkKind | None, int]:
    """An item's kind, None for a plain value, and where its signature ends."""
    equals: int | None = None
    arrow: int | None = None
    depth = 0
    for mark in _MARK.finditer(layout.code, start, end):
        token = mark.group()
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
        elif not depth and token == "=" and equals is None:
            equals = mark.start()
            if item.word != "let":
                break
        elif not depth and token == "=>":
            arrow = mark.start()
            if equals is not None:
                break
    line_end = layout.code.find("\n", start, end)
    if item.word == "test":
        return "test", line_end if line_end >= 0 else end
    if item.word != "let":
        return "type", end if equals is None else equals
    if arrow is not None:
        return "function", max(arrow, equals or 0)
    wrapped = None if equals is None else _WRAPPED.match(layout.code, equals + 1, end)
    return ("function", wrapped.end() - 2) if wrapped else (None, end)


def _signature(layout: Layout, start: int, end: int) -> str:
    text = layout.source.text
    parts: list[str] = []
    for first, after in layout.comments:
        if start <= first < end:
            parts.append(text[start:first])
            start = after
    return _BLANKS.sub(" ", " ".join([*parts, text[start:end]])).strip().rstrip(" {")


def _doc_above(layout: Layout, row: int) -> Doc | None:
    """The comments that end on the line above; `text` is empty where they say nothing."""
    first = row
    while (above := layout.comment_rows.get(first - 1)) is not None:
        first = above
    if first == row:
        return None
    source = layout.source
    lines: list[str] = []
    for line in source.rows(first, row - 1).replace("\r\n", "\n").split("\n"):
        plain = _SLASHES.sub("", _STARS.sub("", line.replace("/**", "").replace("*/", "")))
        lines += [] if plain.strip() and not re.search(r"\w", plain) else [plain.rstrip()]
    text = cleandoc("\n".join(["", *lines])).strip().replace("\r", "")
    return Doc(text, source.starts[first], source.starts[row], first, row - 1)


def _attributes(layout: Layout, item: Item) -> tuple[str, ...]:
    found: list[str] = []
    for row in range(item.first_row, item.head_row + 1):
        at = layout.indents[row]
        while (attribute := ATTRIBUTE.match(layout.lines[row], at)) is not None:
            found.append(layout.source.lines[row][at : attribute.end()].strip())
            at = attribute.end()
    return tuple(found)


def _cut_rows(layout: Layout, item: Item, head_row: int) -> Sequence[int]:
    """Rows that begin a statement of a block, an arm of a switch, or the whole body."""
    found: list[int] = []
    above = layout.lines[head_row].rstrip()
    for row in range(head_row + 1, item.last_row + 1):
        line = layout.lines[row]
        text = line.strip()
        if not text:
            continue
        opener = layout.openers[row]
        indent = layout.indents[row]
        arm = text.startswith("|") and opener >= 0 and indent == layout.indents[opener]
        inner = opener >= 0 and indent == layout.indents[opener] + 2
        if arm:
            split = above.lstrip().startswith("|") and "=>" not in above
            found += [] if split else [row]
        elif inner or (row == head_row + 1 and above.endswith("=>")):
            plain = not _NO_STATEMENT.match(text) and not text.endswith(",")
            plain = plain and not above.lstrip().startswith("@")
            if plain and not (above.endswith(_GOES_ON) and not above.endswith("=>")):
                found.append(row)
        above = line.rstrip()
    return found


def _callees(layout: Layout, start: int, end: int) -> tuple[str, ...]:
    found: set[str] = set()
    for match in _CALL.finditer(layout.code, start, end):
        called, piped, component = match.group(1), match.group(2), match.group(3)
        if called and (called[0].islower() or called[0] == "_") and called not in _KEYWORDS:
            found.add(match.group())
        elif piped:
            found.add(piped)
        elif component:
            found.add(f"{component}.make")
    return tuple(sorted(found))

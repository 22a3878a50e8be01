"""One source file to chunks: every function, method, type and test that its query finds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tree_sitter import Parser

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import (
    Doc,
    Head,
    body_doc,
    head_above,
    head_doc,
    inner_doc,
)
from repo_tune_pipeline.chunking.headers import header_candidate
from repo_tune_pipeline.chunking.joining import joined
from repo_tune_pipeline.chunking.languages import (
    CODE_LANGUAGES,
    CodeLanguage,
    grammar_of,
)
from repo_tune_pipeline.chunking.outline import Definition, Outline, outline
from repo_tune_pipeline.chunking.parsing import SourceText, parse
from repo_tune_pipeline.chunking.signatures import Signature, attributes_above, read_signature
from repo_tune_pipeline.chunking.splitting import Rows, split_rows
from repo_tune_pipeline.chunking.survey import FUNCTIONS
from repo_tune_pipeline.records import ChunkKind
from repo_tune_pipeline.settings import ChunkingSettings

_STUB_BODY = re.compile(r"[\s{};:]*(?:\.\.\.|pass)?[\s{};]*")
_LONGEST_STUB = 40
_KINDS: dict[str, ChunkKind] = {
    "function": "function",
    "method": "method",
    "type": "type",
    "test": "test",
}


@dataclass(frozen=True, slots=True)
class _View:
    """A parsed file and how it is to be cut."""

    language: CodeLanguage
    found: Outline
    settings: ChunkingSettings


def code_candidates(
    name: str, source: SourceText, settings: ChunkingSettings
) -> Iterator[Candidate]:
    """The header and every definition of a text in one of `CODE_LANGUAGES`, kept or not.

    Functions inside functions stay inside; methods are found beside their types.

    Raises:
        UnparsedError: parsing took longer than the settings allow, or wouldn't end well.
    """
    language = CODE_LANGUAGES[name]
    parser, seconds = Parser(grammar_of(name)), settings.parse_timeout_seconds
    tree = parse(parser, source, seconds, ascii_only=language.ascii_only)
    found = outline(source, tree.root_node, name)
    if language.joins:
        found = replace(found, definitions=joined(found.definitions, partial(_begins, found)))
    view = _View(language, found, settings)
    root = tree.root_node
    first = next((each for each in found.definitions if each.node != root), None)
    after = len(source.lines) if first is None else _head(view, first).first_row
    yield from header_candidate(found, root, language, after, settings)
    for definition, symbol, kind, stop in _qualified(found, language):
        yield from _candidates(view, definition, symbol, kind, stop)


def _begins(found: Outline, definition: Definition) -> bool:
    """Whether an attribute, or documentation in its form, stands above a definition."""
    span = found.above.get(found.source.row_of(definition.outer_start) - 1)
    while span is not None and not found.source.data.startswith(b"@", span.start):
        span = found.above.get(span.first_row - 1)
    return span is not None


def _head(view: _View, definition: Definition) -> Head:
    top = view.found.source.row_of(definition.outer_start)
    return Head(top, []) if view.language.doc_in_body else head_above(view.found, top)


def _qualified(
    found: Outline, language: CodeLanguage
) -> Iterator[tuple[Definition, str, ChunkKind, Definition | None]]:
    """Definitions outside functions, with the symbol that the ones around them make and the
    first definition inside them.
    """
    around: list[Definition] = []
    following = (*found.definitions[1:], None)
    for definition, after in zip(found.definitions, following, strict=False):
        while around and around[-1].end <= definition.start:
            around.pop()
        if around and around[-1].role in FUNCTIONS:
            continue
        kind = _KINDS.get(definition.role)
        in_type = bool(around) and around[-1].role in ("type", "owner")
        if kind == "function" and in_type and language.has_methods:
            kind = "method"
        around.append(definition)
        if kind is not None:
            symbol = language.separator.join([part for each in around for part in each.names])
            within = after is not None and after.end <= definition.end
            yield definition, symbol, kind, after if within else None


def _candidates(
    view: _View, definition: Definition, symbol: str, kind: ChunkKind, inner: Definition | None
) -> Iterator[Candidate]:
    """One definition: a piece, its parts, or the reason why there is none."""
    found, source = view.found, view.found.source
    head = _head(view, definition)
    end_row = source.last_row(definition.outer_start, definition.outer_end)
    rows = (head.first_row, end_row)
    signature = read_signature(found, definition)
    reason = _reason(source, definition, signature.start, end_row)
    if reason:
        yield refusal(reason, rows, symbol)
        return
    doc = _doc(view, definition, head, kind)
    cuts = _cut_rows(found, signature.row, end_row, doc)
    parts = _parts(view, rows, cuts, None if kind in FUNCTIONS else inner, signature)
    if not parts:
        yield refusal("too_long", rows, symbol)
    if kind in FUNCTIONS and _is_test(view, definition.name, head.first_row, signature.row):
        kind = "test"
    for number, (first, last) in enumerate(parts, 1):
        yield piece_of(
            source,
            (first, last),
            kind=kind,
            symbol=symbol,
            signature=signature.text,
            doc=doc if number == 1 else None,
            cut_rows=[row for row in cuts if first < row <= last],
            callees=_callees(view, definition, first, last),
            imports=found.imports,
            attributes=attributes_above(found, head.first_row, signature.start),
            part=(number, len(parts)),
        )


def _is_test(view: _View, name: str, first_row: int, last_row: int) -> bool:
    """Whether a function whose head stands on these rows is one."""
    rule, source = view.language.test, view.found.source
    return rule is not None and rule.holds(
        name, source.text[source.starts[first_row] : source.starts[last_row + 1]]
    )


def _doc(view: _View, definition: Definition, head: Head, kind: ChunkKind) -> Doc | None:
    body, markup = definition.body, view.language.doc_markup
    if body is not None and view.language.doc_in_body:
        return body_doc(view.found.source, body)
    doc = head_doc(view.found, head)
    if doc is None and body is not None and kind == "type":
        doc = inner_doc(view.found, body)
    if doc is not None and markup is not None:
        doc = doc._replace(text=markup.sub("", doc.text).strip())
    return doc


def _parts(
    view: _View, rows: Rows, cuts: Sequence[int], inner: Definition | None, signature: Signature
) -> list[Rows]:
    """The rows of one definition, cut where they are too long.

    Of a long type that holds definitions, which are chunks themselves, only what stands above the
    first one is kept.
    """
    source, limit = view.found.source, view.settings.max_chunk_chars
    first, last = rows
    if source.size(first, last) > limit and inner is not None:
        last = _head(view, inner).first_row - 1
        while last > first and not source.lines[last].strip():
            last -= 1
        if last <= signature.row:
            return []
        cuts = [row for row in cuts if row <= last]
    return split_rows(source, (first, last), cuts, limit)


def _cut_rows(found: Outline, signature_row: int, end_row: int, doc: Doc | None) -> Sequence[int]:
    begun = found.statement_rows
    first = bisect_right(begun, signature_row)
    inside = begun[first : bisect_right(begun, end_row, lo=first)]
    if doc is None or not inside or doc.last_row < inside[0]:
        return inside
    return [row for row in inside if not doc.first_row <= row <= doc.last_row]


def _callees(view: _View, definition: Definition, first: int, last: int) -> tuple[str, ...]:
    """What is called in the body, as far as it stands on the rows `first` to `last`."""
    if definition.body is None:
        return ()
    starts = view.found.source.byte_starts
    begin = max(definition.body.start_byte, starts[first])
    end = min(definition.end, starts[last + 1])
    return view.found.calls.within(definition.node, begin, end)


def _reason(source: SourceText, definition: Definition, signature_start: int, end_row: int) -> str:
    if definition.is_broken:
        return "syntax_error"
    if definition.body is None or source.row_of(signature_start) == end_row:
        return "trivial"
    start, end = definition.body.start_byte, definition.end
    if end - start <= _LONGEST_STUB and _STUB_BODY.fullmatch(source.bytes_text(start, end)):
        return "trivial"
    return ""

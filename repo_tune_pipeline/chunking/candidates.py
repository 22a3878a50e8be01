"""From rows of a file to a chunk record, or to the reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from repo_tune_pipeline.chunking.docstrings import Doc
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.records import ChunkKind, CodeChunk, Rejection, SourceFile


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that chunks are cut from."""

    repo: str
    commit: str
    file: SourceFile


Candidate = CodeChunk | Rejection


def chunk_of(
    origin: Origin,
    source: SourceText,
    rows: tuple[int, int],
    *,
    kind: ChunkKind,
    symbol: str,
    signature: str,
    doc: Doc | None,
    cut_rows: Sequence[int] = (),
    callees: tuple[str, ...] = (),
    imports: tuple[str, ...] = (),
) -> CodeChunk:
    """The chunk of `rows` (first and last, from 0) of a file."""
    first, last = rows
    base = source.starts[first]
    text = source.rows(first, last)
    span = None
    if doc is not None and doc.text:
        span = (max(doc.start - base, 0), min(doc.end - base, len(text)))
    return CodeChunk(
        chunk_id=chunk_id(origin.repo, origin.file.path, symbol, first + 1, text),
        repo=origin.repo,
        commit=origin.commit,
        path=origin.file.path,
        language=origin.file.language,
        license=origin.file.license,
        kind=kind,
        symbol=symbol,
        signature=signature,
        docstring=doc.text if doc is not None else "",
        doc_span=span,
        source=text,
        start_line=first + 1,
        end_line=last + 1,
        cut_points=tuple([source.starts[row] - base for row in cut_rows]),
        callees=callees,
        imports=imports,
    )


def rejection(
    origin: Origin, reason: str, *, rows: tuple[int, int] = (-1, -1), symbol: str = ""
) -> Rejection:
    """Why a definition, a section or (without rows) a whole file makes no chunk."""
    return Rejection(
        "chunking", reason, origin.repo, origin.file.path, rows[0] + 1, rows[1] + 1, symbol
    )


def chunk_id(repo: str, path: str, symbol: str, start_line: int, source: str) -> str:
    """16 hexadecimal digits that depend on place and content only."""
    text = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()
    key = "\0".join((repo, path, symbol, str(start_line), text))
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]

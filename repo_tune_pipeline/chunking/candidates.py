"""From rows of a file to a piece of it, to a chunk record, or to the reason why there is none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from repo_tune_pipeline.chunking.docstrings import Doc
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.records import ChunkKind, CodeChunk, Rejection, SourceFile


class Piece(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chunk without its identity: what a file's text alone decides. Fields as in `CodeChunk`.

    The symbol of a piece of kind "module" is empty: it is named after the path it is found at.
    """

    kind: ChunkKind
    symbol: str
    signature: str
    docstring: str
    doc_span: tuple[int, int] | None
    source: str
    start_line: int
    end_line: int
    cut_points: tuple[int, ...] = ()
    callees: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    part: tuple[int, int] = (1, 1)


class Refusal(NamedTuple):
    """Why a definition, a section or (lines 0) a whole file makes no piece."""

    reason: str
    start_line: int = 0
    end_line: int = 0
    symbol: str = ""


Candidate = Piece | Refusal


@dataclass(frozen=True, slots=True)
class FileChunks:
    """What one text is cut into, wherever it stands: may be kept by the blob's id and language.

    `names` are the identifiers in the text, sorted and unique.
    """

    chunks: tuple[Piece, ...]
    rejections: tuple[Refusal, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that chunks are cut from."""

    repo: str
    commit: str
    file: SourceFile


def piece_of(
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
    attributes: tuple[str, ...] = (),
    part: tuple[int, int] = (1, 1),
) -> Piece:
    """The piece of `rows` (first and last, from 0) of a file."""
    first, last = rows
    base = source.starts[first]
    text = source.rows(first, last)
    span = None
    if doc is not None and doc.text:
        span = (max(doc.start - base, 0), min(doc.end - base, len(text)))
    starts = source.starts
    return Piece(
        kind,
        symbol,
        signature,
        doc.text if doc is not None else "",
        span,
        text,
        first + 1,
        last + 1,
        tuple([starts[row] - base for row in cut_rows]),
        callees,
        imports,
        attributes,
        part,
    )


def refusal(reason: str, rows: tuple[int, int] = (-1, -1), symbol: str = "") -> Refusal:
    """Why `rows` (first and last, from 0) or, without them, a whole file make no piece."""
    return Refusal(reason, rows[0] + 1, rows[1] + 1, symbol)


def stamp(found: FileChunks, origin: Origin) -> tuple[list[CodeChunk], list[Rejection]]:
    """The records of what a text was cut into, at the place where it stands.

    Pieces that no record could tell apart are one chunk and "duplicate" rejections.
    """
    file = origin.file
    kept: dict[str, CodeChunk] = {}
    rejected = [
        Rejection("chunking", each.reason, origin.repo, file.path, *each[1:])
        for each in found.rejections
    ]
    for piece in found.chunks:
        symbol = piece.symbol if piece.kind != "module" else module_name(file.path)
        key = chunk_id(origin.repo, file.path, symbol, piece.start_line, piece.source)
        if key in kept:
            lines = (piece.start_line, piece.end_line)
            rejected.append(
                Rejection("chunking", "duplicate", origin.repo, file.path, *lines, symbol)
            )
            continue
        kept[key] = _record(piece, key, origin, symbol)
    return list(kept.values()), rejected


def _record(piece: Piece, key: str, origin: Origin, symbol: str) -> CodeChunk:
    file = origin.file
    return CodeChunk(
        key,
        origin.repo,
        origin.commit,
        file.path,
        file.language,
        file.license,
        piece.kind,
        symbol,
        piece.signature,
        piece.docstring,
        piece.doc_span,
        piece.source,
        piece.start_line,
        piece.end_line,
        piece.cut_points,
        piece.callees,
        piece.imports,
        piece.attributes,
        piece.part,
    )


def module_name(path: str) -> str:
    """A file's name without its suffix; of a package's own file (`__init__.py`, `mod.rs`,
    `index.js`) the folder's name.
    """
    file = PurePosixPath(path)
    stem = file.name.split(".")[0] or file.name
    return file.parent.name or stem if stem in ("__init__", "mod", "index") else stem


def chunk_id(repo: str, path: str, symbol: str, start_line: int, source: str) -> str:
    """16 hexadecimal digits that depend on place and content only."""
    key = "\0".join((repo, path, symbol, str(start_line), source))
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()

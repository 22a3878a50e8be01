"""Chunks on disk: Parquet tables for chunks and rejections, identified by their content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from repo_tune_pipeline.artifacts import digest_json, new_folder, write_file
from repo_tune_pipeline.chunking.stage import Chunked, chunked_of
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import (
    CODE_CHUNK_SCHEMA,
    REJECTION_SCHEMA,
    CodeChunk,
    Rejection,
)

CHUNKS_FILE = "chunks.parquet"
REJECTIONS_FILE = "rejections.parquet"


def save_chunks(folder: Path, chunked: Chunked) -> str:
    """Write a stage's result as a whole folder; what stood there is replaced.

    Returns:
        64 hexadecimal digits over the content, not over the files' bytes.

    Raises:
        StorageError: the folder can't be written; what stood there is unharmed.
    """
    chunks = list(_rows(chunked.chunks, CODE_CHUNK_SCHEMA))
    rejections = list(_rows(chunked.rejections, REJECTION_SCHEMA))
    with new_folder(folder) as building:
        _write(building / CHUNKS_FILE, chunks, CODE_CHUNK_SCHEMA)
        _write(building / REJECTIONS_FILE, rejections, REJECTION_SCHEMA)
    return digest_json([chunks, rejections])


def load_chunks(folder: Path) -> Chunked:
    """Read back what `save_chunks` wrote, equal to what it was given.

    Raises:
        StorageError: a file is missing or isn't such a table.
    """
    chunks = (_chunk(row) for row in _read(folder / CHUNKS_FILE, CODE_CHUNK_SCHEMA))
    rejections = (Rejection(**row) for row in _read(folder / REJECTIONS_FILE, REJECTION_SCHEMA))
    return chunked_of(chunks, rejections)


def _rows(
    records: Iterable[CodeChunk] | Iterable[Rejection], schema: Any
) -> Iterator[dict[str, Any]]:
    return ({name: getattr(each, name) for name in schema.names} for each in records)


def _chunk(row: dict[str, Any]) -> CodeChunk:
    values: dict[str, Any] = {
        name: tuple(cast(list[Any], value)) if isinstance(value, list) else value
        for name, value in row.items()
    }
    return CodeChunk(**values)


def _write(file: Path, rows: list[dict[str, Any]], schema: Any) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), sink, compression="zstd")
    write_file(file, sink.getvalue().to_pybytes())


def _read(file: Path, schema: Any) -> list[dict[str, Any]]:
    try:
        return pq.read_table(file, schema=schema).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise StorageError(f"{file} can't be read: {error}.", "Ingest again.") from None

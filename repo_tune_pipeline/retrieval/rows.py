"""A chunk as a row of the search table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval.tokens import chunk_tokens

PLACE = ("repo", "path", "start_line", "end_line", "symbol", "language")
"""A chunk's own fields that a row keeps. Its commit is the repository's, and one for all of them:
with it in the row, a commit would change every row.
"""
_KEY_BYTES = 16


def row_key(chunk: CodeChunk) -> str:
    """32 hexadecimal digits over all that a search gives back of a chunk, but for its commit."""
    told = orjson.dumps([getattr(chunk, name) for name in (*PLACE, "source")])
    return hashlib.blake2b(told, digest_size=_KEY_BYTES).hexdigest()


def schema(dimensions: int) -> Any:
    """The table's `pyarrow.Schema`, with a vector of `dimensions` numbers a row; 0: without one."""
    fields = [("key", pa.string())]
    fields += [(name, pa.int64() if name.endswith("_line") else pa.string()) for name in PLACE]
    fields += [("source", pa.large_string()), ("tokens", pa.large_string())]
    vector = [("vector", pa.list_(pa.float32(), dimensions))] if dimensions else []
    return pa.schema([*fields, *vector])


def batch_of(chunks: Sequence[CodeChunk], vectors: Sequence[Sequence[float]] | None) -> Any:
    """A `pyarrow.RecordBatch` of `chunks`, each with its vector where there are any."""
    rows: list[dict[str, Any]] = [
        {"key": row_key(chunk), "tokens": chunk_tokens(chunk)}
        | {name: getattr(chunk, name) for name in (*PLACE, "source")}
        for chunk in chunks
    ]
    for row, vector in zip(rows, vectors or (), strict=bool(vectors)):
        row["vector"] = vector
    return pa.RecordBatch.from_pylist(rows, schema=schema(len(vectors[0]) if vectors else 0))

"""One LanceDB table of chunks with a full-text index over their tokens.

LanceDB takes seconds to import, so only the functions that use it do. Nothing here opens a
network connection: the table is a folder, and LanceDB's own tokenizers, which may look for
models, are off.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval.tokens import MAX_TOKEN_CHARS, chunk_tokens

PLACE = ("repo", "commit", "path", "start_line", "end_line", "symbol", "language")
"""A chunk's own fields that a row keeps and a search gives back, beside `source`."""
BATCH_ROWS = 1_000

_NAME = "chunks"
_SCHEMA = pa.schema(
    [(name, pa.int64() if name.endswith("_line") else pa.string()) for name in PLACE]
    + [("source", pa.large_string()), ("tokens", pa.large_string())]
)
# What LanceDB raises, whatever went wrong inside it.
_LANCE_ERRORS = (OSError, RuntimeError, ValueError)
_DISK_FULL = f"os error {errno.ENOSPC}"


def write_table(folder: Path, chunks: Sequence[CodeChunk]) -> None:
    """Write `chunks` and their full-text index below `folder`, a batch at a time.

    Raises:
        StorageError: the disk is full or the folder can't be written.
    """
    import lancedb
    from lancedb.index import FTS, Bitmap

    # One worker: its number decides how the index is cut, and with that how ties are ranked.
    index = FTS(
        base_tokenizer="whitespace",
        stem=False,
        remove_stop_words=False,
        max_token_length=MAX_TOKEN_CHARS,
        num_workers=1,
    )
    try:
        table = lancedb.connect(folder).create_table(_NAME, _batches(chunks), schema=_SCHEMA)
        for column in ("repo", "language"):
            table.create_index(column, config=Bitmap())
        table.create_index("tokens", config=index)
    except _LANCE_ERRORS as error:
        if _DISK_FULL in str(error):
            full = OSError(errno.ENOSPC, "no space left")
            raise storage_error(folder.parent, full) from None
        raise StorageError(
            f"The index {folder.parent} can't be written: {_first_line(error)}.",
            "See that the disk has room and the folder can be written, and run again.",
        ) from None


def read_rows(folder: Path, tokens: str, where: str, limit: int) -> list[dict[str, Any]]:
    """The rows below `folder` that match any of `tokens`, best first, with their `_score`.

    Raises:
        StorageError: there is no whole table.
    """
    folder = folder.absolute()
    try:
        try:
            return _query(folder, tokens, where, limit)
        except _LANCE_ERRORS:
            # The table may have been written anew since it was opened.
            _open.cache_clear()
            return _query(folder, tokens, where, limit)
    except _LANCE_ERRORS as error:
        raise StorageError(
            f"The index {folder.parent} can't be read: {_first_line(error)}.",
            f"Remove {folder.parent} and make it anew: `repo-tune generate-data`.",
        ) from None


def equals(column: str, value: str) -> str:
    """An SQL condition; `value` may be any text."""
    quoted = value.replace("'", "''")
    return f"{column} = '{quoted}'"


def _query(folder: Path, tokens: str, where: str, limit: int) -> list[dict[str, Any]]:
    query = _open(folder).search(_match(tokens), query_type="fts")
    if where:
        query = query.where(where, prefilter=True)
    return query.select([*PLACE, "source", "_score"]).limit(limit).to_arrow().to_pylist()


def _match(tokens: str) -> Any:
    from lancedb import query

    # Its defaults are a dataclass decorator's that type checkers don't know.
    match: Any = query.MatchQuery
    return match(tokens, "tokens")


@lru_cache(maxsize=4)
def _open(folder: Path) -> Any:
    import lancedb

    return lancedb.connect(folder).open_table(_NAME)


def _batches(chunks: Sequence[CodeChunk]) -> Iterator[Any]:
    rows = (
        {name: getattr(chunk, name) for name in (*PLACE, "source")}
        | {"tokens": chunk_tokens(chunk)}
        for chunk in chunks
    )
    while batch := list(islice(rows, BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(batch, schema=_SCHEMA)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")

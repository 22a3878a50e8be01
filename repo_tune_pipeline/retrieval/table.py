"""One LanceDB table of chunks with a full-text index over their tokens.

LanceDB takes seconds to import, so only the functions that use it do. Nothing here opens a
network connection: the table is a folder, and LanceDB's own tokenizers, which may look for
models, are off. Every change makes a new version of the table; readers name the one they mean.
"""

from __future__ import annotations

import errno
import warnings
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.retrieval.rows import PLACE, schema
from repo_tune_pipeline.retrieval.tokens import MAX_TOKEN_CHARS

_NAME = "chunks"
_KEYS_AT_ONCE = 500
_TIMES = 10
# What LanceDB raises, whatever went wrong inside it.
_LANCE_ERRORS = (OSError, RuntimeError, ValueError)
_DISK_FULL = f"os error {errno.ENOSPC}"


def write_table(folder: Path, batches: Iterable[Any], dimensions: int) -> int:
    """Write rows and their full-text index below `folder`, a batch at a time.

    Returns:
        The table's version.

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
    with _writing(folder):
        table = lancedb.connect(folder).create_table(
            _NAME, iter(batches), schema=schema(dimensions)
        )
        for column in ("repo", "language"):
            table.create_index(column, config=Bitmap())
        table.create_index("tokens", config=index)
        return int(table.version)


def change_table(folder: Path, version: int, removed: Sequence[str], added: Iterable[Any]) -> int:
    """Take the rows with these keys out of a version and add others, in the indexes too.

    What an interrupted change left after that version is undone first.

    Returns:
        The new version.

    Raises:
        StorageError: as for `write_table`; the version before is whole still.
    """
    import lancedb

    with _writing(folder):
        table = lancedb.connect(folder).open_table(_NAME)
        if table.version != version:
            table.restore(version)
        for at in range(0, len(removed), _KEYS_AT_ONCE):
            table.delete(_any_of(removed[at : at + _KEYS_AT_ONCE]))
        for batch in added:
            table.add(pa.Table.from_batches([batch]))
        return _settled(table)


def forget_older(folder: Path) -> None:
    """Remove the files that only older versions of the table need.

    Raises:
        StorageError: they can't be removed.
    """
    import lancedb

    with _writing(folder), warnings.catch_warnings():
        # It says that readers of older versions will fail; they ask for the new one then.
        warnings.simplefilter("ignore")
        # Settled, so that this makes no version of its own, whose place the named one would take.
        lancedb.connect(folder).open_table(_NAME).optimize(cleanup_older_than=timedelta(0))


def read_keys(folder: Path, version: int) -> set[str]:
    """The keys of all rows of a version.

    Raises:
        StorageError: there is no such whole table.
    """
    with _reading(folder):
        keys = _open(folder.absolute(), version).search().select(["key"]).to_arrow()["key"]
        return set(keys.to_pylist())


def match_rows(
    folder: Path, version: int, tokens: str, where: str, limit: int
) -> list[dict[str, Any]]:
    """The rows that match any of `tokens`, best first, with their BM25 as `_score`.

    Raises:
        StorageError: there is no such whole table.
    """
    from lancedb import query

    # Its defaults are a dataclass decorator's that type checkers don't know.
    match: Any = query.MatchQuery
    with _reading(folder):
        table = _open(folder.absolute(), version)
        return _rows(table.search(match(tokens, "tokens"), query_type="fts"), where, limit)


def nearest_rows(
    folder: Path, version: int, vector: Sequence[float], where: str, limit: int
) -> list[dict[str, Any]]:
    """The rows whose vectors have the least cosine distance to `vector`, as `_distance`.

    Raises:
        StorageError: there is no such whole table.
    """
    with _reading(folder):
        table = _open(folder.absolute(), version)
        query = table.search(list(vector), vector_column_name="vector", query_type="vector")
        return _rows(query.distance_type("cosine"), where, limit)


def equals(column: str, value: str) -> str:
    """An SQL condition; `value` may be any text."""
    return f"{column} = {_quoted(value)}"


def begins_with(column: str, value: str) -> str:
    """An SQL condition; `value` may be any text."""
    return f"starts_with({column}, {_quoted(value)})"


def _settled(table: Any) -> int:
    """Bring the indexes up to date; twice does more than once, and in the end nothing."""
    for _ in range(_TIMES):
        before = table.version
        table.optimize()
        if table.version == before:
            break
    return int(table.version)


def _any_of(keys: Collection[str]) -> str:
    return f"key IN ({', '.join(map(_quoted, keys))})"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _rows(query: Any, where: str, limit: int) -> list[dict[str, Any]]:
    if where:
        query = query.where(where, prefilter=True)
    found = query.limit(limit).to_arrow()
    wanted = [*PLACE, "source", *({"_score", "_distance"} & set(found.column_names))]
    return found.select(wanted).to_pylist()


@lru_cache(maxsize=4)
def _open(folder: Path, version: int) -> Any:
    import lancedb

    table = lancedb.connect(folder).open_table(_NAME)
    if table.version != version:
        table.checkout(version)
    return table


@contextmanager
def _reading(folder: Path) -> Generator[None]:
    try:
        yield
    except _LANCE_ERRORS as error:
        _open.cache_clear()
        raise StorageError(
            f"The index {folder.parent} can't be read: {_first_line(error)}.",
            f"Remove {folder.parent} and make it anew: `repo-tune generate-data`.",
        ) from None


@contextmanager
def _writing(folder: Path) -> Generator[None]:
    try:
        yield
    except _LANCE_ERRORS as error:
        if _DISK_FULL in str(error):
            full = OSError(errno.ENOSPC, "no space left")
            raise storage_error(folder.parent, full) from None
        raise StorageError(
            f"The index {folder.parent} can't be written: {_first_line(error)}.",
            "See that the disk has room and the folder can be written, and run again.",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")

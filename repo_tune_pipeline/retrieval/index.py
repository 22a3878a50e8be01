"""The search index over all chunks, as a folder that always names one whole table.

::

    current.json    the table that answers, and what it holds
    <digest>/       that table

A new table is built beside the one that answers; `current.json`, written last and in one step,
moves from one to the other.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from repo_tune_pipeline.artifacts import new_folder, read_json, storage_error, write_json
from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval.table import PLACE, equals, read_rows, write_table
from repo_tune_pipeline.retrieval.tokens import question_tokens
from repo_tune_pipeline.secrets import holds_secret

RETRIEVAL_VERSION = "1"
"""Changes whenever the same chunks would give another index."""

_CURRENT = "current.json"
_LOCK = ".lock"
_TABLE_NAME_CHARS = 16
# Rows read beyond the limit, so that equal scores are put in the same order every time.
_TIES = 16


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that a search found; `score` (BM25) compares within one search only."""

    repo: str
    commit: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What an index holds, in chunks; `secrets_left_out` were given but not indexed."""

    digest: str
    chunks: int
    secrets_left_out: int
    by_repo: dict[str, int]
    by_language: dict[str, int]


def build_index(folder: Path, chunks: Sequence[CodeChunk]) -> str:
    """Make `folder` answer from `chunks` alone; until that is whole it answers as before.

    A module's header or a chunk that holds a secret is left out. The same chunks in any order
    leave a whole index as it is. Builders of one folder wait for each other.

    Returns:
        64 hexadecimal digits over the indexed content, not over the files' bytes.

    Raises:
        EmptyInputError: no chunk is left to index.
        StorageError: the folder can't be written; what answered before still does.
    """
    # A module's header names much and answers little.
    chunks = [chunk for chunk in chunks if chunk.kind != "module"]
    kept = sorted((chunk for chunk in chunks if not _holds_secret(chunk)), key=_place)
    if not kept:
        raise EmptyInputError(
            f"None of {len(chunks)} chunks can be indexed.", "Ingest a repository first."
        )
    summary = IndexSummary(
        digest=_digest(kept),
        chunks=len(kept),
        secrets_left_out=len(chunks) - len(kept),
        by_repo=dict(sorted(Counter(chunk.repo for chunk in kept).items())),
        by_language=dict(sorted(Counter(chunk.language for chunk in kept).items())),
    )
    with _locked(folder):
        table = _table_of(folder, summary)
        if _current(folder) != summary or not table.is_dir():
            with new_folder(table) as building:
                write_table(building, kept)
            write_json(folder / _CURRENT, asdict(summary))
        _remove_all_but(folder, {_CURRENT, _LOCK, table.name})
    return summary.digest


def search(
    folder: Path, question: str, *, limit: int = 5, repo: str = "", language: str = ""
) -> list[Hit]:
    """The chunks that share most with `question`, best first; none if no word is shared.

    Args:
        folder: what `build_index` wrote.
        question: words, names or code.
        limit: how many hits at most.
        repo: only this repository, `owner/name`; empty means all.
        language: only this language, as Linguist names it; empty means all.

    Raises:
        EmptyInputError: there is no index.
        StorageError: the index can't be read.
    """
    summary = index_summary(folder)
    tokens = question_tokens(question)
    if not tokens or limit < 1:
        return []
    filters = {"repo": repo, "language": language}
    where = " AND ".join(equals(column, value) for column, value in filters.items() if value)
    try:
        rows = read_rows(_table_of(folder, summary), tokens, where, limit + _TIES)
    except StorageError:
        # Another process may have put a newer table in place of the one just named.
        newest = index_summary(folder)
        if newest == summary:
            raise
        rows = read_rows(_table_of(folder, newest), tokens, where, limit + _TIES)
    return sorted(map(_hit, rows), key=_rank)[:limit]


def index_summary(folder: Path) -> IndexSummary:
    """What the index holds.

    Raises:
        EmptyInputError: there is no index.
    """
    summary = _current(folder)
    if summary is None:
        raise EmptyInputError(
            f"There is no search index at {folder}.", "Make one: `repo-tune generate-data`."
        )
    return summary


def _current(folder: Path) -> IndexSummary | None:
    try:
        return IndexSummary(**cast(dict[str, Any], read_json(folder / _CURRENT)))
    except (StorageError, TypeError):
        return None


def _table_of(folder: Path, summary: IndexSummary) -> Path:
    return folder / summary.digest[:_TABLE_NAME_CHARS]


def _holds_secret(chunk: CodeChunk) -> bool:
    return holds_secret("\n".join((chunk.path, chunk.symbol, chunk.source)))


def _place(chunk: CodeChunk) -> tuple[str, str, int, int, str]:
    return chunk.repo, chunk.path, chunk.start_line, chunk.end_line, chunk.symbol


def _digest(chunks: Sequence[CodeChunk]) -> str:
    digest = hashlib.sha256(RETRIEVAL_VERSION.encode())
    for chunk in chunks:
        row = [getattr(chunk, name) for name in (*PLACE, "source")]
        digest.update(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return digest.hexdigest()


def _hit(row: dict[str, Any]) -> Hit:
    return Hit(score=row.pop("_score"), **row)


def _rank(hit: Hit) -> tuple[float, str, str, int, int]:
    return -hit.score, hit.repo, hit.path, hit.start_line, hit.end_line


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / _LOCK).open("ab")
    except OSError as error:
        raise storage_error(folder, error) from None
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _remove_all_but(folder: Path, names: set[str]) -> None:
    """Older tables, and what an interrupted builder left."""
    for entry in folder.iterdir():
        if entry.name in names:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)

"""The search index over all chunks, as a folder that always names one whole version of one table.

::

    current.json    the table and its version that answer, and what they hold
    <digest>/       that table

Where little changed, the table's rows are changed; else a new one is built beside it. Either way
`current.json`, written last and in one step, moves from the old version to the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.artifacts import new_folder, read_json, storage_error, write_json
from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval.embedding import Embedder
from repo_tune_pipeline.retrieval.rows import batch_of, row_key
from repo_tune_pipeline.retrieval.table import (
    change_table,
    forget_older,
    read_keys,
    write_table,
)
from repo_tune_pipeline.secrets import holds_secret

RETRIEVAL_VERSION = "2"
"""Changes whenever the same chunks would give another index."""

_CURRENT = "current.json"
_LOCK = ".lock"
_TABLE_NAME_CHARS = 16
_BATCH_ROWS = 1_000
MOST_CHANGED = 0.1
"""Of a table's rows, since it was built: beyond, it is built anew. The index goes on counting the
words of rows that were taken out, so that scores drift; with one row in a hundred changed, the
first hit of 291 of 300 questions stayed the same."""


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What an index holds, in chunks; `secrets_left_out` were given but not indexed.

    `table` and `version` say where; `changed` rows were added or taken out since it was built.
    `embedding` names the model of the dense vectors, if there are any.
    """

    digest: str
    table: str
    version: int
    changed: int
    embedding: str
    chunks: int
    secrets_left_out: int
    commits: dict[str, str]
    by_repo: dict[str, int]
    by_language: dict[str, int]


def build_index(
    folder: Path, chunks: Sequence[CodeChunk], *, embedder: Embedder | None = None
) -> str:
    """Make `folder` answer from `chunks` alone; until that is whole it answers as before.

    A module's header or a chunk that holds a secret is left out. The same chunks in any order
    leave a whole index as it is. Builders of one folder wait for each other.

    Args:
        folder: where the index lies.
        chunks: of each repository at one commit.
        embedder: makes a dense vector of each chunk; only of the new ones where little changed.

    Returns:
        64 hexadecimal digits over the indexed content, not over the files' bytes.

    Raises:
        EmptyInputError: no chunk is left to index.
        StorageError: the folder can't be written; what answered before still does.
        ConfigError, ModelServerError: from the embedder.
    """
    # A module's header names much and answers little.
    chunks = [chunk for chunk in chunks if chunk.kind != "module"]
    kept = {row_key(chunk): chunk for chunk in chunks if not _holds_secret(chunk)}
    if not kept:
        raise EmptyInputError(
            f"None of {len(chunks)} chunks can be indexed.", "Ingest a repository first."
        )
    kept = dict(sorted(kept.items(), key=lambda item: _place(item[1])))
    commits = dict(sorted({chunk.repo: chunk.commit for chunk in kept.values()}.items()))
    embedding = embedder.name if embedder else ""
    digest = _digest(kept, commits, embedding)
    with _locked(folder):
        current = current_index(folder)
        if current and (current.digest != digest or not (folder / current.table).is_dir()):
            where = _changed(folder, current, kept, commits, embedder)
        else:
            where = (current.table, current.version, current.changed) if current else None
        if where is None:
            name = digest[:_TABLE_NAME_CHARS]
            if current and current.table == name:
                # Not over the one that answers meanwhile.
                name = f"{name}-again"
            where = name, _built(folder / name, kept, embedder), 0
        table, version, changed = where
        summary = IndexSummary(
            digest=digest,
            table=table,
            version=version,
            changed=changed,
            embedding=embedding,
            chunks=len(kept),
            secrets_left_out=sum(map(_holds_secret, chunks)),
            commits=commits,
            by_repo=dict(sorted(Counter(chunk.repo for chunk in kept.values()).items())),
            by_language=dict(sorted(Counter(chunk.language for chunk in kept.values()).items())),
        )
        if summary != current:
            write_json(folder / _CURRENT, asdict(summary))
            if changed:
                forget_older(folder / table)
        _remove_all_but(folder, {_CURRENT, _LOCK, table})
    return digest


def index_summary(folder: Path) -> IndexSummary:
    """What the index holds.

    Raises:
        EmptyInputError: there is no index.
    """
    summary = current_index(folder)
    if summary is None:
        raise EmptyInputError(
            f"There is no search index at {folder}.", "Make one: `repo-tune generate-data`."
        )
    return summary


def current_index(folder: Path) -> IndexSummary | None:
    """What answers now, if anything does."""
    try:
        return IndexSummary(**cast(dict[str, Any], read_json(folder / _CURRENT)))
    except (StorageError, TypeError):
        return None


def _changed(
    folder: Path,
    current: IndexSummary,
    kept: dict[str, CodeChunk],
    commits: dict[str, str],
    embedder: Embedder | None,
) -> tuple[str, int, int] | None:
    """The table with its rows changed, or None where it is to be built anew."""
    if current.embedding != (embedder.name if embedder else "") or set(current.commits) - set(
        commits
    ):
        # Of a repository that was removed nothing stays.
        return None
    table = folder / current.table
    try:
        there = read_keys(table, current.version)
    except StorageError:
        return None
    removed = sorted(there - set(kept))
    added = [chunk for key, chunk in kept.items() if key not in there]
    changed = current.changed + len(removed) + len(added)
    if changed > MOST_CHANGED * len(kept):
        return None
    version = current.version
    if removed or added:
        version = change_table(table, version, removed, _batches(added, embedder))
    return current.table, version, changed


def _built(table: Path, kept: dict[str, CodeChunk], embedder: Embedder | None) -> int:
    dimensions = embedder.dimensions if embedder else 0
    with new_folder(table) as building:
        return write_table(building, _batches(list(kept.values()), embedder), dimensions)


def _batches(chunks: Sequence[CodeChunk], embedder: Embedder | None) -> Iterator[Any]:
    left = iter(chunks)
    while some := list(islice(left, _BATCH_ROWS)):
        yield batch_of(some, embedder.of_chunks(some) if embedder else None)


def _holds_secret(chunk: CodeChunk) -> bool:
    return holds_secret("\n".join((chunk.path, chunk.symbol, chunk.source)))


def _place(chunk: CodeChunk) -> tuple[str, str, int, int, str]:
    return chunk.repo, chunk.path, chunk.start_line, chunk.end_line, chunk.symbol


def _digest(kept: dict[str, CodeChunk], commits: dict[str, str], embedding: str) -> str:
    told = [RETRIEVAL_VERSION, embedding, *(f"{repo}@{at}" for repo, at in commits.items()), *kept]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


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

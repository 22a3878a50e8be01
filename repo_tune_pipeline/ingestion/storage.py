"""Snapshots on disk: `files.parquet`, `ledger.parquet` and `snapshot.json`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from repo_tune_pipeline.artifacts import digest_json, new_folder, read_json, write_json
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import (
    LEDGER_SCHEMA,
    SOURCE_FILE_SCHEMA,
    LedgerEntry,
    Snapshot,
    SourceFile,
)

INGESTION_VERSION = "1"
"""Changes whenever the same commit and settings would give another snapshot."""

_FIELDS = ("repo", "commit", "source", "ref", "notice")


def snapshot_digest(snapshot: Snapshot) -> str:
    """64 hexadecimal digits over what later stages read: not over source, ref and notice.

    A blob's id stands for its text.
    """
    files = [(f.path, f.blob, f.language, f.license) for f in snapshot.files]
    ledger = [(e.path, e.blob, e.size, e.language, e.reason) for e in snapshot.ledger]
    return digest_json([INGESTION_VERSION, snapshot.repo, snapshot.commit, files, ledger])


def save_snapshot(folder: Path, snapshot: Snapshot) -> str:
    """Write a snapshot as `folder`, whole or not at all, and return its digest.

    Raises:
        StorageError: the disk is full or the folder can't be written.
    """
    digest = snapshot_digest(snapshot)
    about = {name: getattr(snapshot, name) for name in _FIELDS}
    with new_folder(folder) as building:
        _write_rows(building / "files.parquet", snapshot.files, SOURCE_FILE_SCHEMA)
        _write_rows(building / "ledger.parquet", snapshot.ledger, LEDGER_SCHEMA)
        write_json(building / "snapshot.json", about | {"digest": digest})
    return digest


def load_snapshot(folder: Path) -> Snapshot:
    """Read back what `save_snapshot` wrote.

    Raises:
        StorageError: a file is missing or damaged.
    """
    about = read_json(folder / "snapshot.json")
    files = _read_rows(folder / "files.parquet", SOURCE_FILE_SCHEMA)
    ledger = _read_rows(folder / "ledger.parquet", LEDGER_SCHEMA)
    try:
        fields = {name: str(about[name]) for name in _FIELDS}
    except KeyError as error:
        raise StorageError(
            f"{folder / 'snapshot.json'} has no {error}.", "Ingest the repository again."
        ) from None
    return Snapshot(
        **fields,
        files=tuple(SourceFile(**row) for row in files),
        ledger=tuple(LedgerEntry(**row) for row in ledger),
    )


def _write_rows(
    path: Path, rows: tuple[SourceFile, ...] | tuple[LedgerEntry, ...], schema: Any
) -> None:
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    pq.write_table(table, path, compression="zstd")


def _read_rows(path: Path, schema: Any) -> list[dict[str, Any]]:
    try:
        table = pq.read_table(path, schema=schema)
    except (OSError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise StorageError(
            f"{path} can't be read: {why[:200]}.", "Ingest the repository again."
        ) from None
    return table.to_pylist()

"""Snapshots on disk: a folder of tables, and beside it `texts.db`, the texts by content.

So a commit that changes one file costs one text, not all.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from repo_tune_pipeline.artifacts import digest_json, new_folder, read_json, write_json
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import (
    CHANGE_SCHEMA,
    LEDGER_SCHEMA,
    SOURCE_FILE_SCHEMA,
    Change,
    LedgerEntry,
    Snapshot,
    SourceFile,
)
from repo_tune_pipeline.shelf import Shelf

INGESTION_VERSION = "4"
"""Changes whenever the same commit and settings would give another snapshot."""

_ABOUT = ("repo", "commit", "source", "ref", "notice")


def snapshot_digest(snapshot: Snapshot) -> str:
    """64 hexadecimal digits over what later stages read: not over source, ref and notice.

    A blob's id stands for its text.
    """
    files = [(f.path, f.blob, f.language, f.license, f.flags, f.changed) for f in snapshot.files]
    ledger = [(e.path, e.blob, e.size, e.language, e.reason) for e in snapshot.ledger]
    changes = [
        (c.commit, c.path, c.start_line, c.hunk, c.subject, c.body) for c in snapshot.changes
    ]
    return digest_json([INGESTION_VERSION, snapshot.repo, snapshot.commit, files, ledger, changes])


def save_snapshot(folder: Path, snapshot: Snapshot) -> str:
    """Write a snapshot as `folder`, whole or not at all, and return its digest.

    Raises:
        StorageError: the disk is full or the folder can't be written.
    """
    digest = snapshot_digest(snapshot)
    about = {name: getattr(snapshot, name) for name in _ABOUT}
    texts = {_key(file): file for file in snapshot.files}
    shelf = _texts(folder)
    known = shelf.keys()
    shelf.put({key: _encoded(file) for key, file in texts.items() if key not in known})
    with new_folder(folder) as building:
        _write_rows(building / "files.parquet", snapshot.files, SOURCE_FILE_SCHEMA)
        _write_rows(building / "ledger.parquet", snapshot.ledger, LEDGER_SCHEMA)
        _write_rows(building / "changes.parquet", snapshot.changes, CHANGE_SCHEMA)
        write_json(building / "snapshot.json", about | {"digest": digest})
    shelf.put({}, keep=texts)
    return digest


def load_snapshot(folder: Path) -> Snapshot:
    """Read back what `save_snapshot` wrote.

    Raises:
        StorageError: a file is missing or damaged.
    """
    about = snapshot_about(folder)
    rows = [_flat(row) for row in _read_rows(folder / "files.parquet", SOURCE_FILE_SCHEMA)]
    files = [SourceFile(**row, text="") for row in rows]
    texts = _texts(folder).get(_key(file) for file in files)
    try:
        return Snapshot(
            **{name: str(about[name]) for name in _ABOUT},
            files=tuple(
                SourceFile(**row, text=texts[_key(file)].decode("utf-8", "surrogatepass"))
                for row, file in zip(rows, files, strict=True)
            ),
            ledger=load_ledger(folder),
            changes=load_changes(folder),
        )
    except KeyError:
        raise StorageError(f"{folder} isn't whole.", "Ingest the repository again.") from None


def snapshot_about(folder: Path) -> dict[str, object]:
    """`repo`, `commit`, `source`, `ref`, `notice` and `digest` of a saved snapshot.

    Raises:
        StorageError: it is missing or damaged.
    """
    return read_json(folder / "snapshot.json")


def load_file(folder: Path, path: str) -> SourceFile | None:
    """One kept file of a saved snapshot, as it was read; None where none of that path was kept.

    Raises:
        StorageError: the snapshot is missing or damaged.
    """
    for row in _read_rows(folder / "files.parquet", SOURCE_FILE_SCHEMA):
        if row["path"] == path:
            key = _key(SourceFile(**_flat(row), text=""))
            text = _texts(folder).get([key]).get(key)
            if text is not None:
                return SourceFile(**_flat(row), text=text.decode("utf-8", "replace"))
    return None


def load_ledger(folder: Path) -> tuple[LedgerEntry, ...]:
    """The ledger of a saved snapshot alone.

    Raises:
        StorageError: it is missing or damaged.
    """
    rows = _read_rows(folder / "ledger.parquet", LEDGER_SCHEMA)
    return tuple(LedgerEntry(**_flat(row)) for row in rows)


def load_changes(folder: Path) -> tuple[Change, ...]:
    """The changes of a saved snapshot alone.

    Raises:
        StorageError: they are missing or damaged.
    """
    return tuple(Change(**row) for row in _read_rows(folder / "changes.parquet", CHANGE_SCHEMA))


def _texts(folder: Path) -> Shelf:
    return Shelf(folder.with_name("texts.db"))


def _key(file: SourceFile) -> bytes:
    """What a text depends on: what is redacted may depend on a file's name."""
    key = f"{INGESTION_VERSION}\0{file.blob}\0{file.path}"
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _encoded(file: SourceFile) -> bytes:
    return file.text.encode("utf-8", "surrogatepass")


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"flags": tuple(row["flags"])}


def _write_rows(
    path: Path, rows: Sequence[SourceFile] | Sequence[LedgerEntry] | Sequence[Change], schema: Any
) -> None:
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")


def _read_rows(path: Path, schema: Any) -> list[dict[str, Any]]:
    try:
        table = pq.read_table(path, schema=schema)
    except (OSError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise StorageError(
            f"{path} can't be read: {why[:200]}.", "Ingest the repository again."
        ) from None
    return table.to_pylist()

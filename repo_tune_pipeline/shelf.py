"""Values by key in one SQLite file: what a stage made once and needn't make again.

SQLite, since a file a value would cost more than making most of them, and one file for all would
have to be rewritten whole for each change. Each `put` is one transaction: whole or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from repo_tune_pipeline.errors import StorageError

_PART = 500
"""Keys in one question; SQLite takes some thousands."""


class Shelf:
    """A mapping from bytes to bytes on disk.

    A file that is damaged is put away as `*.damaged` and begun anew: what a shelf holds can be
    made again.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those `keys` that are there."""
        wanted = list(dict.fromkeys(keys))
        found: dict[bytes, bytes] = {}
        if not wanted or not self.file.exists():
            return found
        with self._opened() as connection:
            for first in range(0, len(wanted), _PART):
                part = wanted[first : first + _PART]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value FROM shelf WHERE key IN ({marks})"
                found.update(connection.execute(query, part))
        return found

    def keys(self) -> set[bytes]:
        """All keys."""
        if not self.file.exists():
            return set()
        with self._opened() as connection:
            return {key for (key,) in connection.execute("SELECT key FROM shelf")}

    def put(self, values: Mapping[bytes, bytes], *, keep: Iterable[bytes] | None = None) -> None:
        """Add `values`; with `keep`, remove every other key that isn't in it.

        Raises:
            StorageError: the disk is full or the folder can't be written; nothing was changed.
        """
        stale = set[bytes]() if keep is None else self.keys() - set(keep) - values.keys()
        if not values and not stale:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as connection, connection:
            connection.executemany("DELETE FROM shelf WHERE key = ?", ((key,) for key in stale))
            connection.executemany("INSERT OR REPLACE INTO shelf VALUES (?, ?)", values.items())

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection, None, None]:
        try:
            with closing(self._connect()) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            full = "full" in str(error)
            raise StorageError(
                f"The disk is full: {self.file} wasn't written."
                if full
                else f"{self.file} can't be used: {error}.",
                "Free some space, or pass --home on another disk, and run again."
                if full
                else "Check the folder's permissions.",
            ) from None
        except sqlite3.DatabaseError:
            self._put_away()
            raise StorageError(
                f"{self.file} was damaged and has been put away.", "Run the command again."
            ) from None

    def _connect(self) -> sqlite3.Connection:
        try:
            return _prepared(self.file)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._put_away()
            return _prepared(self.file)

    def _put_away(self) -> None:
        self.file.replace(self.file.with_suffix(".damaged"))


def _prepared(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=60)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS shelf (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
        )
    except BaseException:
        connection.close()
        raise
    return connection

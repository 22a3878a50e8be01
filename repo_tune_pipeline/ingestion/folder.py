"""Plain folders, walked without following links or opening anything but regular files."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import Entry
from repo_tune_pipeline.ingestion.objects import blob_id
from repo_tune_pipeline.ingestion.processes import printable
from repo_tune_pipeline.ingestion.vendored import is_vendored_folder


def walk_folder(
    folder: Path, max_paths: int, skips: Callable[[bytes], bool] | None = None
) -> list[Entry]:
    """Every path below `folder`, sorted; `/` separates its parts.

    A folder that isn't entered (one whose path `skips` names, by default one that is vendored by
    name, or an unreadable one) is one entry.

    Raises:
        SourceError: the folder itself can't be read, or has more than `max_paths` paths.
    """
    root = os.fsencode(folder) + b"/"
    skips = skips or is_vendored_path
    found: list[Entry] = []
    waiting = [b""]
    while waiting:
        inner = waiting.pop()
        try:
            with os.scandir(root + inner) as items:
                for item in items:
                    path = inner + b"/" + item.name if inner else item.name
                    if item.is_dir(follow_symlinks=False) and not skips(path):
                        waiting.append(path)
                    else:
                        found.append(_entry(item, path))
        except OSError as error:
            if not inner:
                raise SourceError(
                    f"{printable(str(folder))} can't be read: {error.strerror}.",
                    "Check that it is there and that you may read it.",
                ) from None
            found.append(Entry(inner, "", 0, "unreadable"))
        if len(found) > max_paths:
            raise SourceError(
                f"{printable(str(folder))} has more than {max_paths:,} files.",
                "Name a folder inside of it.",
            )
    return sorted(found, key=lambda entry: entry.path)


def read_folder(
    folder: Path, entries: Sequence[Entry], max_bytes: int
) -> Iterator[tuple[Entry, bytes | None]]:
    """The contents of `entries`, with the ids under which git would keep them."""
    for entry in entries:
        data = read_regular(folder / os.fsdecode(entry.path), max_bytes)
        yield (entry if data is None else replace(entry, blob=blob_id(data))), data


def read_regular(path: Path, max_bytes: int) -> bytes | None:
    """The bytes of a regular file; None if it is anything else, unreadable or longer."""
    stream = open_regular(path)
    if stream is None:
        return None
    with stream:
        data = stream.read(max_bytes + 1)
    return data if len(data) <= max_bytes else None


def open_regular(path: Path) -> IO[bytes] | None:
    """A regular file, open; None if it is anything else or unreadable. A link isn't followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return os.fdopen(handle, "rb")
    os.close(handle)
    return None


def is_vendored_path(path: bytes) -> bool:
    """Whether the last part of a folder's path says that it isn't worth entering."""
    return is_vendored_folder(os.fsdecode(path.rpartition(b"/")[2]))


def _entry(item: os.DirEntry[bytes], path: bytes) -> Entry:
    if item.is_symlink():
        return Entry(path, "", 0, "symlink")
    if item.is_dir(follow_symlinks=False):
        return Entry(path, "", 0, "vendored")
    if not item.is_file(follow_symlinks=False):
        return Entry(path, "", 0, "special_file")
    return Entry(path, "", item.stat(follow_symlinks=False).st_size)

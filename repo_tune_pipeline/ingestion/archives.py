"""Zip and tar files, read in place: nothing is ever extracted under a name of theirs."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import (
    MAX_PATH_BYTES,
    Entry,
    most_bytes,
    path_below_another,
)
from repo_tune_pipeline.ingestion.objects import blob_id
from repo_tune_pipeline.ingestion.processes import printable
from repo_tune_pipeline.ingestion.tars import tar_members
from repo_tune_pipeline.ingestion.vendored import is_vendored_folder
from repo_tune_pipeline.ingestion.zips import zip_members
from repo_tune_pipeline.settings import IngestionSettings

_DRIVE = re.compile(rb"[A-Za-z]:")


class Member(Protocol):
    """One member of an archive: its name as written, its kind, and how to read it."""

    @property
    def name(self) -> bytes: ...
    @property
    def size(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def is_folder(self) -> bool: ...
    def read(self, file: IO[bytes]) -> bytes: ...


@dataclass(frozen=True)
class OpenArchive:
    """The files of an archive; a folder that holds all of them isn't part of their paths."""

    entries: list[Entry]
    members: dict[bytes, Member]
    file: IO[bytes]

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | None]]:
        """The contents of `entries`, with the ids under which git would keep them.

        Raises:
            SourceError: a member is damaged or isn't what the archive says of it.
        """
        for entry in entries:
            data = self.members[entry.path].read(self.file)
            yield replace(entry, blob=blob_id(data)), data


@contextmanager
def opened_archive(
    path: Path, shown: str, settings: IngestionSettings
) -> Generator[OpenArchive, None, None]:
    """List an archive; its file stays open for the block.

    Raises:
        SourceError: it is damaged, encrypted or larger than the settings allow, or names what no
            honest archive does: a path that leads out of it, through a link, or one path twice.
    """
    kind = zip_members if path.name.lower().endswith(".zip") else tar_members
    try:
        with path.open("rb") as stream, kind(stream, path.name, shown, settings) as (file, found):
            members: dict[bytes, Member] = {}
            folders: set[bytes] = set()
            room = most_bytes(settings.max_paths)
            for number, member in enumerate(found, start=1):
                room -= len(member.name)
                if number > settings.max_paths or room < 0:
                    raise _refused(
                        shown, f"names more than {settings.max_paths:,} paths, or far too long ones"
                    )
                _take(member, members, folders, shown)
            if (inner := path_below_another(members)) is not None:
                raise _refused(shown, f"names {_quoted(inner)} below what is no folder")
            members = _without_top(members)
            entries = [Entry(name, "", one.size, one.reason) for name, one in members.items()]
            yield OpenArchive(sorted(entries, key=lambda entry: entry.path), members, file)
    except OSError as error:
        raise SourceError(
            f"{shown} can't be read: {error.strerror or error}.",
            "Check that you may read it, and that the folder for temporary files has room.",
        ) from None


def _take(member: Member, members: dict[bytes, Member], folders: set[bytes], shown: str) -> None:
    path = _safe_path(member.name, shown)
    if member.is_folder:
        folders.add(path)
    elif not path or path in members:
        raise _refused(shown, f"names the path {_quoted(member.name)} twice, or not at all")
    else:
        members[path] = member
    if path in folders and path in members:
        raise _refused(shown, f"has {_quoted(member.name)} as a folder and as a file")


def _safe_path(name: bytes, shown: str) -> bytes:
    """A name without `.` and empty parts."""
    if len(name) > MAX_PATH_BYTES:
        raise _refused(shown, f"names a path of more than {MAX_PATH_BYTES:,} bytes")
    slashed = name.replace(b"\\", b"/")
    outward = slashed.startswith(b"/") or b".." in slashed.split(b"/")
    if outward or _DRIVE.match(name) or b"\0" in name:
        raise _refused(shown, f"names a path that leads out of it: {_quoted(name)}")
    return b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))


def _without_top(members: dict[bytes, Member]) -> dict[bytes, Member]:
    tops = {path.partition(b"/")[0] if b"/" in path else b"" for path in members}
    top = tops.pop() if len(tops) == 1 else b""
    if not top or is_vendored_folder(top.decode("utf-8", "replace")):
        return members
    return {path[len(top) + 1 :]: member for path, member in members.items()}


def _quoted(name: bytes) -> str:
    return printable(repr(name)[1:])[:200]


def _refused(shown: str, what: str) -> SourceError:
    return SourceError(f"{shown} {what}.", "Look at this archive before you use it.")

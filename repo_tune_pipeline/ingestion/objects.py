"""Trees and blobs of one commit, read from an object store by plumbing alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import (
    MAX_PATH_BYTES,
    Entry,
    most_bytes,
    path_below_another,
)
from repo_tune_pipeline.ingestion.git import git_process, run_git
from repo_tune_pipeline.ingestion.processes import Deadline, GitFailure

_LISTED = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40}) +(\S+)\t(.*)", re.DOTALL)
_KINDS = {b"120000": "symlink", b"160000": "submodule"}
_FORBIDDEN_PARTS = frozenset({b"", b".", b"..", b".git"})
_LINE_LIMIT = 65536
_PART = 1 << 18
_ROW_BYTES = 64
"""A row of a listed tree has fewer beside its path."""


@dataclass(frozen=True)
class ObjectStore:
    """A git directory of ours; `objects` names another's folder of objects to read from.

    `shown` is the source's name in messages.
    """

    shown: str
    git_dir: Path
    deadline: Deadline
    objects: Path | None = None

    def commit_of(self, name: str) -> str:
        """The commit that an object id (a tag's or an abbreviated one, too) leads to.

        Raises:
            SourceError: there is no such object, or it is no commit.
        """
        try:
            output = run_git(
                "rev-parse",
                ["--verify", "--quiet"],
                [f"{name}^{{commit}}"],
                git_dir=self.git_dir,
                objects=self.objects,
                deadline=self.deadline,
            )
        except GitFailure as failure:
            if failure.timed_out:
                raise self.unreadable(failure) from None
            raise SourceError(
                f"{self.shown} has no commit {name}.",
                "Give a branch, tag or commit that it holds; `git fsck` tells if it is damaged.",
            ) from None
        return output.decode().strip()

    def list_tree(self, commit: str, max_paths: int) -> list[Entry]:
        """Every path of a commit, in git's order.

        A few hundred KiB of trees can name billions of paths: more than `max_paths` are refused.

        Raises:
            SourceError: the trees are damaged, or no honest git wrote them: a part `..` or
                `.git`, one path twice or below a file, more than `max_paths`, or far too long.
        """
        self._check_number_of_paths(commit, max_paths)
        entries: list[Entry] = []
        seen: set[bytes] = set()
        with git_process(
            "ls-tree",
            ["-r", "-z", "-l", "--full-tree"],
            [commit],
            git_dir=self.git_dir,
            objects=self.objects,
            deadline=self.deadline,
        ) as process:
            try:
                for line in _records(process.stdout):
                    entry = self._entry(line)
                    self._check_path(entry.path, seen)
                    entries.append(entry)
                    if len(entries) > max_paths:
                        raise self._dishonest(f"names more than {max_paths:,} paths")
                process.finish()
            except GitFailure as failure:
                raise self.unreadable(failure) from None
        if (inner := path_below_another(seen)) is not None:
            raise self._dishonest(
                f"names a path twice, as a file and as a folder of {inner!r:.200}"
            )
        return entries

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | None]]:
        """The contents of `entries`, each blob read once; None where it is missing or damaged.

        Raises:
            SourceError: the object store can't be read to the end.
        """
        wanted: dict[str, list[Entry]] = {}
        for entry in entries:
            wanted.setdefault(entry.blob, []).append(entry)
        with git_process(
            "cat-file",
            ["--batch", "--buffer"],
            git_dir=self.git_dir,
            objects=self.objects,
            deadline=self.deadline,
            ids=list(wanted),
        ) as process:
            try:
                for blob, same in wanted.items():
                    data = _next_blob(process.stdout, blob)
                    for entry in same:
                        yield entry, data
                process.finish()
            except (GitFailure, EOFError) as failure:
                raise self.unreadable(failure) from None

    def unreadable(self, failure: Exception) -> SourceError:
        """The error for objects of which git, or we, made nothing."""
        timed_out = isinstance(failure, GitFailure) and failure.timed_out
        if timed_out or self.deadline.is_over:
            return SourceError(
                f"The objects of {self.shown} weren't read within {self.deadline.seconds:g} "
                "seconds, or took a tenth of them on the processor.",
                "Raise `ingestion.timeout_seconds`, or lower `ingestion.history_commits`.",
            )
        why = failure.message if isinstance(failure, GitFailure) else "the objects end too early"
        return SourceError(
            f"The objects of {self.shown} can't be read: {why}.",
            "Check the repository with `git fsck`, or clone it anew.",
        )

    def _check_number_of_paths(self, commit: str, max_paths: int) -> None:
        """Count first: without sizes (`-l`) git lists a bomb seventy times as fast.

        Folders count as well: those of a bomb may hold nothing at all.
        """
        number = room = 0
        with git_process(
            "ls-tree",
            ["-r", "-t", "-z", "--full-tree"],
            [commit],
            git_dir=self.git_dir,
            objects=self.objects,
            deadline=self.deadline,
        ) as process:
            while part := process.stdout.read(_PART):
                number += part.count(b"\0")
                room += len(part)
                if number > 2 * max_paths:
                    raise self._dishonest(f"names more than {max_paths:,} paths")
                if room > most_bytes(max_paths) + _ROW_BYTES * number:
                    raise self._dishonest("names paths that are far too long")
            try:
                process.finish()
            except GitFailure as failure:
                raise self.unreadable(failure) from None

    def _entry(self, line: bytes) -> Entry:
        found = _LISTED.fullmatch(line)
        if found is None:
            raise self._dishonest("can't be understood")
        mode, kind, blob, size, path = found.groups()
        reason = _KINDS.get(mode, "" if kind == b"blob" else "submodule")
        if not size.isdigit():
            reason = reason or "missing_blob"
        return Entry(path, blob.decode(), int(size) if size.isdigit() else 0, reason)

    def _check_path(self, path: bytes, seen: set[bytes]) -> None:
        if len(path) > MAX_PATH_BYTES:
            raise self._dishonest(f"names a path of more than {MAX_PATH_BYTES:,} bytes")
        if not _FORBIDDEN_PARTS.isdisjoint(path.lower().split(b"/")):
            raise self._dishonest(f"names a path that no git would check out: {path!r:.200}")
        if path in seen:
            raise self._dishonest(f"names the path {path!r:.200} twice")
        seen.add(path)

    def _dishonest(self, what: str) -> SourceError:
        return SourceError(
            f"{self.shown} has a tree that {what}.", "Look at this repository before you use it."
        )


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """The NUL-terminated records of a stream."""
    rest = b""
    while part := stream.read(_PART):
        *whole, rest = (rest + part).split(b"\0")
        yield from whole


def _next_blob(stdout: IO[bytes], blob: str) -> bytes | None:
    """The next answer of `cat-file --batch`, which must be about `blob`."""
    header = stdout.readline(_LINE_LIMIT).split()
    if len(header) == 2 and header[1] == b"missing":
        return None
    if len(header) != 3 or header[0].decode("latin-1") != blob:
        raise EOFError
    size = int(header[2])
    data = stdout.read(size + 1)
    if len(data) != size + 1:
        raise EOFError
    content = data[:-1]
    whole = header[1] == b"blob" and blob_id(content) == blob
    return content if whole else None


def blob_id(data: bytes) -> str:
    """The id under which git would keep `data`."""
    head = b"blob %d\0" % len(data)
    return hashlib.sha1(head + data, usedforsecurity=False).hexdigest()

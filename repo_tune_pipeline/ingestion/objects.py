"""Trees and blobs of one commit, read from an object store by plumbing alone."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import Entry
from repo_tune_pipeline.ingestion.git import Deadline, GitFailure, git_process, run_git

_LISTED = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40}) +(\S+)\t(.*)", re.DOTALL)
_KINDS = {b"120000": "symlink", b"160000": "submodule"}
_FORBIDDEN_PARTS = frozenset({b"", b".", b"..", b".git"})
_LINE_LIMIT = 65536
_PART = 1 << 18


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
        options = ["--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
        try:
            output = run_git(
                "rev-parse",
                options,
                git_dir=self.git_dir,
                objects=self.objects,
                deadline=self.deadline,
            )
        except GitFailure as failure:
            if failure.timed_out:
                raise self._unreadable(failure) from None
            raise SourceError(
                f"{self.shown} has no commit {name}.",
                "Give a branch, a tag or the id of a commit that it holds.",
            ) from None
        return output.decode().strip()

    def list_tree(self, commit: str, max_paths: int) -> list[Entry]:
        """Every path of a commit, in git's order.

        A few hundred KiB of trees can name billions of paths: more than `max_paths` are refused.

        Raises:
            SourceError: the trees are damaged, or no honest git wrote them: a part `..` or
                `.git`, one path twice, or more than `max_paths`.
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
                process.finish()
            except GitFailure as failure:
                raise self._unreadable(failure) from None
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
            feed=True,
        ) as process:
            # The pipe in fills up while the pipe out waits for us: feed it from another thread.
            feeder = threading.Thread(target=_feed, args=(process.stdin, list(wanted)), daemon=True)
            feeder.start()
            try:
                for blob, same in wanted.items():
                    data = _next_blob(process.stdout, blob)
                    for entry in same:
                        yield entry, data
                process.finish()
            except (GitFailure, EOFError) as failure:
                raise self._unreadable(failure) from None
            finally:
                process.close()
                feeder.join(timeout=5)

    def _check_number_of_paths(self, commit: str, max_paths: int) -> None:
        """Count first: without sizes (`-l`) git lists a bomb seventy times as fast."""
        number = 0
        with git_process(
            "ls-tree",
            ["-r", "-z", "--full-tree"],
            [commit],
            git_dir=self.git_dir,
            objects=self.objects,
            deadline=self.deadline,
        ) as process:
            while part := process.stdout.read(_PART):
                number += part.count(b"\0")
                if number > max_paths:
                    raise self._dishonest(f"names more than {max_paths:,} paths")

    def _entry(self, line: bytes) -> Entry:
        found = _LISTED.fullmatch(line)
        if found is None:
            raise SourceError(f"{self.shown} has a tree that can't be understood.")
        mode, kind, blob, size, path = found.groups()
        reason = _KINDS.get(mode, "" if kind == b"blob" else "submodule")
        if not size.isdigit():
            reason = reason or "missing_blob"
        return Entry(path, blob.decode(), int(size) if size.isdigit() else 0, reason)

    def _check_path(self, path: bytes, seen: set[bytes]) -> None:
        if not _FORBIDDEN_PARTS.isdisjoint(path.lower().split(b"/")):
            raise self._dishonest(f"names a path that no git would check out: {path!r:.200}")
        if path in seen:
            raise self._dishonest(f"names the path {path!r:.200} twice")
        seen.add(path)

    def _dishonest(self, what: str) -> SourceError:
        return SourceError(
            f"{self.shown} has a tree that {what}.", "Look at this repository before you use it."
        )

    def _unreadable(self, failure: Exception) -> SourceError:
        why = failure.message if isinstance(failure, GitFailure) else "the objects end too early"
        if isinstance(failure, GitFailure) and failure.timed_out:
            remedy = "Raise `ingestion.timeout_seconds`."
        else:
            remedy = "Check the repository with `git fsck`, or clone it anew."
        return SourceError(f"The objects of {self.shown} can't be read: {why}.", remedy)


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """The NUL-terminated records of a stream."""
    rest = b""
    while part := stream.read(_PART):
        *whole, rest = (rest + part).split(b"\0")
        yield from whole


def _feed(stdin: IO[bytes], blobs: Sequence[str]) -> None:
    # The reader sees a process that ended early at its own end of the pipes.
    with suppress(OSError, ValueError):
        stdin.write("".join(f"{blob}\n" for blob in blobs).encode())
        stdin.close()


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

"""Repositories on this machine, read without asking git to open them.

A repository's own configuration can name programs to run, and its object store can lead into
another repository. So refs are read here, as text, and git only ever opens an empty git directory
of ours whose objects are looked up in the source's `objects` folder.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from repo_tune_pipeline.errors import EmptyInputError, SourceError
from repo_tune_pipeline.ingestion.folder import open_regular
from repo_tune_pipeline.ingestion.git import NO_REPOSITORY, run_git
from repo_tune_pipeline.ingestion.objects import ObjectStore
from repo_tune_pipeline.ingestion.processes import Deadline, printable
from repo_tune_pipeline.ingestion.sources import Local

_ID = re.compile(r"[0-9a-f]{40}")
_SHORT_ID = re.compile(r"[0-9a-f]{7,40}")
_REF_TARGET = re.compile(r"refs/(?!.*(?:\.\.|//))[^\x00-\x20\x7f]+")
_REF_FILE_LIMIT = 64 * 1024 * 1024


@contextmanager
def local_store(local: Local, shown: str, deadline: Deadline) -> Generator[ObjectStore, None, None]:
    """The object store of a local repository, to be read from and never written to.

    Raises:
        SourceError: its objects lie, in part, outside of it.
    """
    _check_self_contained(local.git_dir, shown)
    with tempfile.TemporaryDirectory(prefix="repo-tune-") as scratch:
        ours = Path(scratch) / "empty.git"
        options = ["--bare", "--quiet", "--template="]
        run_git("init", options, [str(ours)], git_dir=NO_REPOSITORY, deadline=deadline)
        _copy_shallow(local.git_dir, ours)
        yield ObjectStore(shown, ours, deadline, objects=local.git_dir / "objects")


def _copy_shallow(git_dir: Path, ours: Path) -> None:
    """Let git know where the history of a shallow clone ends."""
    ends = (_read_small(git_dir / "shallow") or "").split("\n")
    if known := [end for end in ends if _ID.fullmatch(end)]:
        (ours / "shallow").write_text("".join(f"{end}\n" for end in known))


def local_commit(local: Local, store: ObjectStore, ref: str) -> str:
    """The commit that `ref` (HEAD, if empty) stands for.

    Raises:
        EmptyInputError: the repository has no commit yet.
        SourceError: there is no such ref.
    """
    refs = _Refs(local.git_dir, store.shown)
    found = refs.head() if ref in ("", "HEAD") else refs.find(ref)
    if found is None and _SHORT_ID.fullmatch(ref):
        found = ref
    if found is not None:
        return store.commit_of(found)
    if ref in ("", "HEAD"):
        raise EmptyInputError(
            f"{store.shown} has no commit yet: its HEAD leads to none.",
            "Commit something first, or pass --ref with a branch that has commits.",
        )
    raise SourceError(
        f"{store.shown} has no branch, tag or commit {printable(ref)}.",
        "`git branch -a` and `git tag` list what it has.",
    )


class _Refs:
    """The refs of a git directory: loose files first, then `packed-refs`."""

    def __init__(self, git_dir: Path, shown: str) -> None:
        self._git_dir = git_dir
        self._shown = shown

    def head(self) -> str | None:
        return self._resolve("HEAD", hops=5)

    def find(self, ref: str) -> str | None:
        places = ("refs/heads/", "refs/tags/", "refs/remotes/origin/", "refs/remotes/")
        names = [ref] if ref.startswith("refs/") else [place + ref for place in places]
        found = (self._resolve(name, hops=5) for name in names)
        return next((commit for commit in found if commit), None)

    def _resolve(self, name: str, hops: int) -> str | None:
        value = _read_small(self._git_dir / name)
        if value is None:
            return self._packed(name)
        if _ID.fullmatch(value):
            return value
        target = value.removeprefix("ref:").strip()
        if value.startswith("ref:") and _REF_TARGET.fullmatch(target) and hops:
            return self._resolve(target, hops - 1)
        raise SourceError(
            f"{self._shown} keeps its {printable(name)} in a form that isn't understood.",
            "SHA-256 repositories and reftables can't be read yet; clone it as a usual one.",
        )

    def _packed(self, name: str) -> str | None:
        lines = (_read_small(self._git_dir / "packed-refs") or "").split("\n")
        wanted = f" {name}"
        line = next((line for line in lines if line.endswith(wanted) and line[40:] == wanted), "")
        return line[:40] if _ID.fullmatch(line[:40]) else None


def _read_small(path: Path) -> str | None:
    """The text of a plain file; None for anything else. Links aren't followed."""
    stream = open_regular(path)
    if stream is None:
        return None
    with stream:
        return stream.read(_REF_FILE_LIMIT).decode("utf-8", "replace").rstrip("\n")


def _check_self_contained(git_dir: Path, shown: str) -> None:
    """Refuse an object store that reaches into another repository's."""
    objects = git_dir / "objects"
    if (git_dir / "commondir").exists():
        raise _borrowed(shown, "a `commondir` file")
    if objects.is_symlink() or _has_links(objects):
        raise _borrowed(shown, "a symbolic link among its objects")
    if not objects.is_dir():
        raise SourceError(
            f"{shown} is no repository: its git directory has no objects folder.",
            "Clone it anew, or remove its .git to have it read as a plain folder.",
        )
    alternates = objects / "info" / "alternates"
    if alternates.exists():
        raise _borrowed(shown, "an `alternates` file")


def _has_links(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as items:
        return any(
            item.is_symlink()
            or (item.is_dir(follow_symlinks=False) and _has_links(Path(item.path)))
            for item in items
        )


def _borrowed(shown: str, how: str) -> SourceError:
    return SourceError(
        f"{shown} has objects of another repository: {how} leads out of it, which isn't followed.",
        "Make a whole copy with `git clone --no-local` and name that, or name the other one.",
    )

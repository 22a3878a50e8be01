"""Remote repositories: what a ref stands for, and a bare mirror with it and its history."""

from __future__ import annotations

import errno
import fcntl
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.errors import EmptyInputError, RepoTuneError, SourceError, UnreachableError
from repo_tune_pipeline.ingestion.git import NO_REPOSITORY, run_git
from repo_tune_pipeline.ingestion.objects import ObjectStore
from repo_tune_pipeline.ingestion.processes import Deadline, GitFailure, printable
from repo_tune_pipeline.ingestion.reach import Reach

_ID = re.compile(r"[0-9a-f]{40}")
_KEPT = "refs/commits/"
_UNFINISHED = "unfinished"
_HELD = "held"
_PASSES = re.compile(
    r"could not resolve|couldn't connect|failed to connect|connection (?:refused|reset|timed out)"
    r"|timed out|name resolution|network is unreachable|no route to host|early eof|rpc failed"
    r"|unexpected disconnect|empty reply|closed by remote host|returned error: (?:429|5\d\d)",
    re.IGNORECASE,
)
"""Of what git, curl and ssh say of a server: what may be over in a while."""


def remote_commit(reach: Reach, ref: str) -> str:
    """The commit that `ref` (HEAD, if empty) stands for on the server now.

    Raises:
        EmptyInputError: the repository has no commit yet.
        SourceError: the server can't be read, or has no such ref.
    """
    if _ID.fullmatch(ref):
        return ref
    shown, deadline, remote = reach.shown, reach.deadline, reach.checked
    wanted = _names(ref)
    patterns = [name + peeled for name in wanted for peeled in ("", "^{}")]
    try:
        output = run_git(
            "ls-remote",
            [],
            [remote.url, *patterns],
            git_dir=NO_REPOSITORY,
            config=remote.config,
            ssh_options=remote.ssh_options,
            deadline=deadline,
        )
    except GitFailure as failure:
        raise _unreachable(shown, failure, deadline) from None
    lines = (line.partition("\t") for line in output.decode("utf-8", "replace").splitlines())
    listed = {name: commit for commit, _, name in lines}
    for name in wanted:
        commit = listed.get(name + "^{}") or listed.get(name)
        if commit and _ID.fullmatch(commit):
            return commit
    if ref in ("", "HEAD"):
        raise EmptyInputError(
            f"{shown} has no commit at its HEAD.",
            "Push something first, or pass --ref with a branch that has commits.",
        )
    raise SourceError(
        f"{shown} has no branch or tag {printable(ref)}.",
        "Give one that it has, or the 40 digits of a commit.",
    )


@contextmanager
def mirrored(reach: Reach, commit: str, mirror: Path) -> Generator[ObjectStore, None, None]:
    """The mirror with `commit` in it, fetched if it isn't there yet; locked for the block.

    It holds as much of the history as the settings ask for, and one commit more.

    Raises:
        SourceError: the server can't be read, or doesn't give that commit.
        StorageError: the mirror can't be written.
    """
    with _locked(mirror):
        if not _is_whole(mirror):
            _create(mirror, reach.deadline)
        store = ObjectStore(reach.shown, mirror, reach.deadline)
        depth = reach.settings.history_commits + 1
        if not _holds(store, commit, depth):
            _fetch(reach, store, commit, depth)
        yield store


def _names(ref: str) -> list[str]:
    if ref in ("", "HEAD"):
        return ["HEAD"]
    return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]


@contextmanager
def _locked(mirror: Path) -> Generator[None, None, None]:
    lock = mirror.with_name(f"{mirror.name}.lock")
    try:
        mirror.parent.mkdir(parents=True, exist_ok=True)
        stream = lock.open("ab")
    except OSError as error:
        raise storage_error(lock, error) from None
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _is_whole(mirror: Path) -> bool:
    return (mirror / "HEAD").is_file() and not (mirror / _UNFINISHED).exists()


def _create(mirror: Path, deadline: Deadline) -> None:
    """An empty mirror, in place of what an interrupted fetch left."""
    try:
        if mirror.exists():
            shutil.rmtree(mirror)
        options = ["--bare", "--quiet", "--template="]
        run_git("init", options, [str(mirror)], git_dir=NO_REPOSITORY, deadline=deadline)
    except OSError as error:
        raise storage_error(mirror, error) from None
    except GitFailure as failure:
        raise _unwritable(mirror, failure) from None


def _holds(store: ObjectStore, commit: str, depth: int) -> bool:
    """Whether the last fetch that ended well was of `commit`, as deep.

    An earlier one doesn't count: where a fetch cuts the history, it cuts that of others, too.
    """
    try:
        return (store.git_dir / _HELD).read_text() == f"{commit} {depth}\n"
    except (OSError, UnicodeDecodeError):
        return False


def _fetch(reach: Reach, store: ObjectStore, commit: str, depth: int) -> None:
    """Fetch one commit with `depth` - 1 generations before it.

    Trees aren't checked by git on arrival (many honest old repositories fail that): what would
    harm is refused when they are listed.
    """
    # A git that is killed leaves lock files behind: the marker says that they mean nothing.
    unfinished, held = store.git_dir / _UNFINISHED, store.git_dir / _HELD
    options = [f"--depth={depth}", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--quiet"]
    options += ["--no-recurse-submodules", "--refmap="]
    remote = reach.checked
    try:
        unfinished.touch()
        held.unlink(missing_ok=True)
        run_git(
            "fetch",
            options,
            [remote.url, f"+{commit}:{_KEPT}{commit}"],
            git_dir=store.git_dir,
            config=remote.config,
            ssh_options=remote.ssh_options,
            deadline=store.deadline,
        )
        held.write_text(f"{commit} {depth}\n")
        unfinished.unlink()
    except OSError as error:
        raise storage_error(store.git_dir, error) from None
    except GitFailure as failure:
        if not failure.timed_out:
            unfinished.unlink(missing_ok=True)
        raise _unreachable(store.shown, failure, store.deadline) from None


def _unreachable(shown: str, failure: GitFailure, deadline: Deadline) -> RepoTuneError:
    if failure.timed_out:
        return UnreachableError(
            f"{shown} wasn't read within {deadline.seconds:g} seconds.",
            "Check the network, or raise `ingestion.timeout_seconds`.",
        )
    if "No space left on device" in failure.message:
        return storage_error(Path("the mirror"), OSError(errno.ENOSPC, failure.message))
    refusal = UnreachableError if _PASSES.search(failure.message) else SourceError
    return refusal(
        f"{shown} can't be read: {failure.message}.",
        "Check the address, the network and that you may read it.",
    )


def _unwritable(mirror: Path, failure: GitFailure) -> RepoTuneError:
    return storage_error(mirror, OSError(0, failure.message))

"""From a source to a snapshot: list, drop with a reason, read, judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from repo_tune_pipeline.artifacts import digest_json
from repo_tune_pipeline.errors import EmptyInputError, SourceError
from repo_tune_pipeline.ingestion.archives import opened_archive
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.folder import read_folder, walk_folder
from repo_tune_pipeline.ingestion.history import History, read_history
from repo_tune_pipeline.ingestion.local import local_commit, local_store
from repo_tune_pipeline.ingestion.mirror import mirrored, remote_commit
from repo_tune_pipeline.ingestion.notebooks import MAX_NOTEBOOK_BYTES
from repo_tune_pipeline.ingestion.objects import ObjectStore
from repo_tune_pipeline.ingestion.processes import Deadline, printable
from repo_tune_pipeline.ingestion.reach import Reach
from repo_tune_pipeline.ingestion.sift import choose, sift
from repo_tune_pipeline.ingestion.sources import (
    Archive,
    Folder,
    Local,
    Remote,
    check_ref,
    parse_source,
    public_source,
    repo_name,
)
from repo_tune_pipeline.ingestion.worktree import uncommitted_notice
from repo_tune_pipeline.records import Funnel, Snapshot
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline.shelf import Shelf


def ingest(
    source: str,
    *,
    ref: str = "",
    name: str = "",
    settings: IngestionSettings,
    mirrors: Path,
    memory: Path | None = None,
) -> Snapshot:
    """Read one source at one commit.

    Args:
        source: a git URL, a local repository (its HEAD is read, not its working files), a plain
            folder or an archive.
        ref: a branch, a tag or a commit; empty means HEAD.
        name: the repository's `owner/name`; empty derives it from the source.
        settings: which sources and files are wanted, and how much time and room they may take.
        mirrors: the folder of our bare mirrors; only git URLs need one.
        memory: a file that remembers what came of each content, for the next time.

    Raises:
        SourceError: the source can't be read, or has no such ref.
        EmptyInputError: it has no commit, or no file that can be used.
        ConfigError: a pattern of the settings can't be understood.
        StorageError: the mirror can't be written.
    """
    repo = repo_name(source, name)
    with _opened(source, ref, settings, mirrors.absolute() / f"{repo}.git") as opened:
        sifted = sift(
            opened.entries,
            opened.read,
            settings,
            public_source(source),
            repo=repo,
            memory=Shelf(memory) if memory is not None else None,
        )
        notice = ""
        if opened.worktree is not None:
            candidates = sifted.candidates
            notice = uncommitted_notice(opened.worktree, opened.entries, candidates, settings)
        history = History()
        if opened.store is not None:
            history = read_history(opened.store, opened.commit, sifted.files, settings)
    snapshot = Snapshot(
        repo=repo,
        commit=opened.commit or _content_id(sifted.contents),
        source=public_source(source),
        ref=ref,
        files=tuple(
            replace(file, changed=history.changed.get(file.path, "")) for file in sifted.files
        ),
        ledger=tuple(sifted.ledger),
        notice=" ".join(filter(None, (notice, history.notice))),
        changes=history.changes,
    )
    require_usable(snapshot)
    return snapshot


def head_commit(source: str, *, ref: str = "", settings: IngestionSettings) -> str:
    """The commit that `ingest` would read now; for a folder or an archive a digest.

    Raises:
        SourceError, EmptyInputError: as `ingest`, as far as it gets.
    """
    check_ref(ref)
    shown = public_source(source)
    deadline = Deadline(settings.timeout_seconds)
    match parse_source(source, allow_ssh=settings.allow_ssh):
        case Remote() as remote:
            return remote_commit(Reach(remote, shown, settings, deadline), ref)
        case Local() as local:
            with local_store(local, shown, deadline) as store:
                return local_commit(local, store, ref)
        case Folder() | Archive():
            with _opened(source, ref, settings, Path()) as opened:
                wanted = choose(opened.entries, opened.read, settings, shown)
                found = opened.read(wanted.read)
                return _content_id([entry for entry, data in found if data is not None])


def funnel(snapshot: Snapshot) -> Funnel:
    """How many paths were seen, kept and dropped, with the reasons."""
    reasons = [entry.reason for entry in snapshot.ledger if not entry.kept]
    return Funnel.of("ingestion", len(snapshot.files), reasons)


def files_by_language(snapshot: Snapshot) -> dict[str, int]:
    """The number of kept files in each language, sorted by name."""
    return dict(sorted(Counter(file.language for file in snapshot.files).items()))


def require_usable(snapshot: Snapshot) -> None:
    """Check that there is something for the next stage.

    Raises:
        EmptyInputError: no file was kept; the message says what became of them.
    """
    if snapshot.files:
        return
    counts = funnel(snapshot)
    reasons = ", ".join(f"{reason} {number}" for reason, number in counts.dropped.items())
    raise EmptyInputError(
        f"{snapshot.source} has no file that can be used: {counts.seen} seen, 0 kept"
        f"{f', dropped: {reasons}' if reasons else ''}.",
        "Name a source with code, or widen `ingestion` in the configuration.",
    )


@dataclass(frozen=True)
class _Opened:
    """A source ready to be read; `commit` is empty and `store` None for one without git."""

    commit: str
    entries: list[Entry]
    read: Read
    store: ObjectStore | None = None
    worktree: Path | None = None


@contextmanager
def _opened(
    source: str, ref: str, settings: IngestionSettings, mirror: Path
) -> Generator[_Opened, None, None]:
    check_ref(ref)
    shown = public_source(source)
    deadline = Deadline(settings.timeout_seconds)
    match parse_source(source, allow_ssh=settings.allow_ssh):
        case Remote() as remote:
            reach = Reach(remote, shown, settings, deadline)
            commit = remote_commit(reach, ref)
            with mirrored(reach, commit, mirror) as store:
                commit = store.commit_of(commit)
                entries = store.list_tree(commit, settings.max_paths)
                yield _Opened(commit, entries, store.read, store)
        case Local() as local:
            with local_store(local, shown, deadline) as store:
                commit = local_commit(local, store, ref)
                worktree = local.worktree if ref in ("", "HEAD") else None
                entries = store.list_tree(commit, settings.max_paths)
                yield _Opened(commit, entries, store.read, store, worktree)
        case Folder(folder):
            _refuse_ref(shown, ref)
            read = partial(read_folder, folder, max_bytes=_read_limit(settings))
            yield _Opened("", walk_folder(folder, settings.max_paths), read)
        case Archive(path):
            _refuse_ref(shown, ref)
            with opened_archive(path, shown, settings) as archive:
                yield _Opened("", archive.entries, archive.read)


def _refuse_ref(shown: str, ref: str) -> None:
    if ref:
        raise SourceError(
            f"{shown} is no git repository: it has no ref {printable(ref)}.", "Leave the ref out."
        )


def _read_limit(settings: IngestionSettings) -> int:
    return max(settings.max_file_bytes, MAX_NOTEBOOK_BYTES)


def _content_id(entries: Sequence[Entry]) -> str:
    """40 hexadecimal digits that stand for the paths and contents of the files that were read."""
    pairs = sorted((entry.path.decode(), entry.blob) for entry in entries)
    return digest_json(pairs)[:40]

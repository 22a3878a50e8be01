"""The commits before a snapshot: when each path changed last, and small changes to learn from.

All reachable commits count, newest first, and not the first parents alone: where work is merged,
the small commits with a purpose are the second parents' side. Merges themselves are skipped: what
they bring was brought by the commits that they join. Only plumbing reads here, in a git directory
of ours, so that no attribute, driver, mailmap or graph file of the repository's takes part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO

from repo_tune_pipeline.ingestion.entries import most_bytes
from repo_tune_pipeline.ingestion.git import git_process, run_git
from repo_tune_pipeline.ingestion.hunks import Hunk, hunks_of
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.ingestion.messages import Message, read_message
from repo_tune_pipeline.ingestion.objects import ObjectStore
from repo_tune_pipeline.ingestion.processes import GitFailure
from repo_tune_pipeline.records import Change, SourceFile
from repo_tune_pipeline.secrets import redact
from repo_tune_pipeline.settings import IngestionSettings

_MAX_PATHS_IN_CHANGE = 8
_MAX_CODE_FILES = 3
_MAX_CHANGED_LINES = 60
_NO_CODE = frozenset(
    {"", "AsciiDoc", "Jupyter Notebook", "Markdown", "Org", "reStructuredText", "Text"}
)
_MESSAGE_LIMIT = 16 * 1024
_LAST_SECOND = 253_402_300_799
_RECORD_LIMIT = 16 * 1024 * 1024
_UNREAD = (
    "The history wasn't read, so no file has a date and there are no changes: it is damaged, or "
    "names more paths than people do."
)
_DIFF = ["--stdin", "-r", "--root", "--no-renames"]
_PATCH = [
    *("-p", "-U3", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
]


@dataclass(frozen=True)
class History:
    """`changed`: the date of each path's last commit; a path that isn't in it is unknown.

    `notice` says so where the history couldn't be read; else it is empty.
    """

    changed: dict[str, str] = field(default_factory=dict[str, str])
    changes: tuple[Change, ...] = ()
    notice: str = ""


@dataclass(frozen=True)
class _Commit:
    id: str
    date: str
    parents: int


def read_history(
    store: ObjectStore, commit: str, files: Sequence[SourceFile], settings: IngestionSettings
) -> History:
    """What the last `history_commits` commits tell; only a notice where they can't be read.

    A path that none of them touched has no date, unless they are the whole history (then one of
    them did).

    Raises:
        SourceError: the time is over. Another run might have had enough of it, and one commit
            must not give two snapshots.
    """
    if not settings.history_commits:
        return History()
    try:
        commits = _commits(store, commit, settings.history_commits)
        touched = _touched(store, commits, settings.max_paths * 4)
        changed: dict[str, str] = {}
        for one in commits:
            for path in touched.get(one.id, ()):
                changed.setdefault(path, one.date)
        changes = _changes(
            store, commits, touched, {f.path: f for f in files if f.language not in _NO_CODE}
        )
    except (GitFailure, EOFError) as failure:
        if store.deadline.is_over or (isinstance(failure, GitFailure) and failure.timed_out):
            raise store.unreadable(failure) from None
        return History(notice=_UNREAD)  # that old commits are damaged isn't worth a failure
    return History(changed, tuple(changes))


def _commits(store: ObjectStore, commit: str, number: int) -> list[_Commit]:
    """The newest commits; where a shallow clone ends, the last ones are left out.

    Such a commit seems to have no parents, and so to have made every file.
    """
    output = run_git(
        "rev-list",
        [f"--max-count={number}", "--parents", "--timestamp"],
        [commit],
        git_dir=store.git_dir,
        objects=store.objects,
        deadline=store.deadline,
    )
    try:
        ends = frozenset((store.git_dir / "shallow").read_text().split())
    except OSError:
        ends = frozenset()
    rows = (line.split() for line in output.decode().splitlines())
    return [_Commit(row[1], _date(int(row[0])), len(row) - 2) for row in rows if row[1] not in ends]


def _touched(store: ObjectStore, commits: Sequence[_Commit], limit: int) -> dict[str, list[str]]:
    """The paths that each commit touched, merges aside."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    wanted = [commit.id for commit in commits if commit.parents < 2]
    number = size = 0
    for record in _diffed(store, wanted, ["--name-only", "-z"], b"\0"):
        if len(record) == 40 and record.decode("latin-1") in wanted[len(found) : len(found) + 1]:
            current = found.setdefault(record.decode(), [])
            continue
        number, size = number + 1, size + len(record)
        if number > limit or size > most_bytes(limit):
            raise GitFailure("the history names too many paths")
        with suppress(UnicodeDecodeError):
            current.append(record.decode())
    return found


def _diffed(
    store: ObjectStore, commits: Sequence[str], options: Sequence[str], end: bytes
) -> Iterator[bytes]:
    """What `diff-tree` says about `commits`, in records that end with `end`."""
    with git_process(
        "diff-tree",
        [*_DIFF, "--always", *options],
        git_dir=store.git_dir,
        objects=store.objects,
        deadline=store.deadline,
        ids=commits,
    ) as process:
        rest = b""
        while part := process.stdout.read(1 << 16):
            *whole, rest = (rest + part).split(end)
            yield from whole
            if len(rest) > _RECORD_LIMIT:
                raise GitFailure("the history has a line or a path without end")
        process.finish()


def _changes(
    store: ObjectStore,
    commits: Sequence[_Commit],
    touched: dict[str, list[str]],
    kept: dict[str, SourceFile],
) -> Iterator[Change]:
    small = [one for one in commits if one.parents == 1 and _is_small(touched.get(one.id, []))]
    messages = _messages(store, [one.id for one in small])
    told = [one for one in small if one.id in messages]
    if not told:
        return
    hunks = hunks_of(_diffed(store, [one.id for one in told], _PATCH, b"\n"), kept)
    for one in told:
        found = hunks.get(one.id, [])
        if sum(hunk.changed_lines for hunk in found) > _MAX_CHANGED_LINES:
            continue
        for hunk in sorted(found, key=lambda hunk: (hunk.path, hunk.start_line)):
            if hunk.is_worth:
                yield from _change(one, messages[one.id], hunk, kept[hunk.path])


def _is_small(paths: Sequence[str]) -> bool:
    code = [path for path in paths if language_of_path(path) not in _NO_CODE]
    return len(paths) <= _MAX_PATHS_IN_CHANGE and 0 < len(code) <= _MAX_CODE_FILES


def _change(commit: _Commit, message: Message, hunk: Hunk, file: SourceFile) -> Iterator[Change]:
    text = redact(hunk.text, hunk.path).text
    if any(line[:1] not in (" ", "-", "+") for line in text.split("\n")):
        return
    yield Change(
        commit=commit.id,
        date=commit.date,
        subject=redact(message.subject).text,
        body=redact(message.body).text,
        path=hunk.path,
        language=file.language,
        license=file.license,
        hunk=text,
        start_line=hunk.start_line,
        end_line=hunk.end_line,
    )


def _messages(store: ObjectStore, commits: Sequence[str]) -> dict[str, Message]:
    """The messages that say what their commit is for."""
    found: dict[str, Message] = {}
    if not commits:
        return found
    with git_process(
        "cat-file",
        ["--batch", "--buffer"],
        git_dir=store.git_dir,
        objects=store.objects,
        deadline=store.deadline,
        ids=commits,
    ) as process:
        for commit in commits:
            data = _next_object(process.stdout)
            message = read_message(data) if len(data) <= _MESSAGE_LIMIT else None
            if message is not None:
                found[commit] = message
        process.finish()
    return found


def _next_object(stdout: IO[bytes]) -> bytes:
    """The next object's first bytes: one more than a message may have, if it is longer."""
    header = stdout.readline(256).split()
    if len(header) != 3:
        raise EOFError
    left = int(header[2]) + 1
    data = stdout.read(min(left, _MESSAGE_LIMIT + 2))
    left -= len(data)
    while left and (part := stdout.read(min(left, 1 << 16))):
        left -= len(part)
    return data[:-1]


def _date(seconds: int) -> str:
    if not 0 <= seconds <= _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat()

"""How the working files of a local repository differ from the commit that is read.

git isn't asked: `git status` and `git ls-files` run what the repository's configuration names.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import Entry
from repo_tune_pipeline.ingestion.folder import is_vendored_path, read_regular, walk_folder
from repo_tune_pipeline.ingestion.gates import PathFilter, reason_of_path
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.ingestion.objects import blob_id
from repo_tune_pipeline.settings import IngestionSettings

_IGNORE_FILE_LIMIT = 1_000_000


def uncommitted_notice(
    worktree: Path, tree: Sequence[Entry], read: Sequence[Entry], settings: IngestionSettings
) -> str:
    """One sentence with the number of files whose uncommitted work was left out, or nothing.

    Args:
        worktree: the folder with the working files.
        tree: every path of the commit.
        read: those of them whose content is read; only their changes count.
        settings: what decides whether a new file would have been read.
    """
    ignores, filters = _Ignores(worktree), PathFilter(settings)
    try:
        found = walk_folder(
            worktree,
            settings.max_paths,
            lambda path: is_vendored_path(path) or ignores.drops(path),
        )
    except SourceError:
        return "The working files weren't compared with HEAD: there are too many of them."
    walked = {entry.path: entry for entry in found}
    changed = sum(_differs(worktree, entry, walked.get(entry.path)) for entry in read)
    known = {entry.path for entry in tree}
    nested = {path.rpartition(b"/")[0] for path in walked if path.endswith(b"/.git")}
    fresh = [
        entry
        for entry in found
        if entry.path not in known
        and not _is_below(entry.path, nested)
        and _would_be_read(entry, filters, settings.max_file_bytes)
        and not ignores.drops(entry.path)
    ]
    return _sentence(changed, len(fresh))


def _sentence(changed: int, fresh: int) -> str:
    total = changed + fresh
    if not total:
        return ""
    files = "1 file" if total == 1 else f"{total} files"
    verb = "differs" if total == 1 else "differ"
    return (
        f"Uncommitted work was left out: {files} of the working folder {verb} from HEAD, "
        "which was read."
    )


def _differs(worktree: Path, committed: Entry, walked: Entry | None) -> bool:
    # An ignored but tracked file isn't met on the walk into skipped folders: look at it anyway.
    if walked is not None and walked.reason:
        return True
    path = worktree / os.fsdecode(committed.path)
    data = read_regular(path, 2 * committed.size + 1024)
    if data is None:
        return True
    if blob_id(data) == committed.blob:
        return False
    return blob_id(data.replace(b"\r\n", b"\n")) != committed.blob


def _would_be_read(entry: Entry, filters: PathFilter, max_file_bytes: int) -> bool:
    if entry.reason:
        return False
    path = os.fsdecode(entry.path)
    reason = reason_of_path(path, entry.size, filters, max_file_bytes)
    return not reason and bool(language_of_path(path))


def _is_below(path: bytes, folders: Collection[bytes]) -> bool:
    parts = path.split(b"/")
    return any(b"/".join(parts[:depth]) in folders for depth in range(1, len(parts)))


class _Ignores:
    """The `.gitignore` files of a folder and its subfolders, read when first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._specs: dict[bytes, GitIgnoreSpec | None] = {}

    def drops(self, path: bytes) -> bool:
        """Whether `path` is ignored; the file nearest to it that says anything decides."""
        folder = path
        while folder:
            folder = folder.rpartition(b"/")[0]
            spec = self._spec(folder)
            if spec is None:
                continue
            inner = os.fsdecode(path[len(folder) :].lstrip(b"/"))
            said = [spec.check_file(name).include for name in (inner, f"{inner}/")]
            if any(verdict is not None for verdict in said):
                return said[0] if said[0] is not None else bool(said[1])
        return False

    def _spec(self, folder: bytes) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            path = self._root / os.fsdecode(folder) / ".gitignore"
            self._specs[folder] = _parse(read_regular(path, _IGNORE_FILE_LIMIT))
        return self._specs[folder]


def _parse(data: bytes | None) -> GitIgnoreSpec | None:
    if data is None:
        return None
    try:
        return GitIgnoreSpec.from_lines(os.fsdecode(data).splitlines())
    except ValueError:
        return None

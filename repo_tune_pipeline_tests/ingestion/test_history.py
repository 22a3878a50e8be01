"""What the commits before a snapshot tell: dates of paths, and small changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion import snapshot_digest
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import (
    Repository,
    marking_program,
    put_bomb,
    put_files_bomb,
)

BODY = "".join(f"def f{number}():\n    return {number}\n\n\n" for number in range(6))
DATE = "2023-11-14T22:13:20+00:00"


def _change(repository: Repository, number: int, message: str) -> str:
    text = (repository.folder / "a.py").read_text()
    text = text.replace(f"    return {number}\n", f"    value = {number}\n    return value\n")
    return repository.commit({"a.py": text}, message)


def test_small_changes_with_a_purpose_are_told_and_others_are_not(
    repository: Repository, read: Ingest
) -> None:
    repository.commit({"a.py": BODY, "b.py": "x = 1\n", "README.md": "# a\n"})
    trailers = "It was unclear.\n\nSigned-off-by: Some Body <some@body.test>"
    wanted = _change(repository, 1, f"fix(a): name the value of f1 (#12)\n\n{trailers}")
    for number, message in ((2, "wip"), (3, "Bump the version to 2"), (4, "Merge branch x")):
        _change(repository, number, message)
    repository.commit({"a.py": (repository.folder / "a.py").read_text() + "\n"}, "Add room below")
    snapshot = read(repository.folder)
    [change] = snapshot.changes
    assert (change.commit, change.date, change.path) == (wanted, DATE, "a.py")
    assert change.subject == "fix(a): name the value of f1 (#12)"
    assert change.body == "It was unclear."
    assert "+    value = 1\n+    return value" in change.hunk
    new = [line[1:] for line in change.hunk.split("\n") if line[0] != "-"]
    at_commit = repository.git("show", f"{wanted}:a.py").split("\n")
    assert new == at_commit[change.start_line - 1 : change.end_line]
    assert {file.changed for file in snapshot.files} == {DATE}
    assert read(repository.folder, history_commits=0).changes == ()


def test_where_the_history_ends_nothing_seems_to_be_new(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    repository.commit({"a.py": BODY, "old.py": "x = 1\n"})
    _change(repository, 1, "Name the value of the first")
    last = _change(repository, 2, "Name the value of the second")
    shallow = tmp_path / "shallow"
    url = f"file://{repository.folder}"
    repository.git("clone", "--quiet", "--depth=2", url, str(shallow))
    for snapshot in (
        read(shallow),
        read(repository.folder, history_commits=1),
    ):
        assert {file.path: file.changed for file in snapshot.files} == {"a.py": DATE, "old.py": ""}
        assert [change.commit for change in snapshot.changes] == [last]


def test_a_mirror_and_a_local_repository_tell_the_same(
    repository: Repository, read: Ingest, fake_ssh: Path
) -> None:
    repository.commit({"a.py": BODY, "old.py": "x = 1\n"})
    commits = [_change(repository, n, f"Name the value of number {n}") for n in range(5)]
    source = f"ssh://git@host.test{repository.folder}"
    for commit in (commits[2], commits[4], commits[2]):
        mirrored = read(source, ref=commit, history_commits=2)
        local = read(repository.folder, ref=commit, history_commits=2)
        assert mirrored.files == local.files
        assert mirrored.changes == local.changes
        assert len(local.changes) == 2


def test_no_diff_driver_of_the_repository_runs(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    program, marker = marking_program(tmp_path)
    for key in ("diff.external", "diff.evil.command", "diff.evil.textconv", "gpg.program"):
        repository.git("config", key, str(program))
    repository.git("config", "log.showSignature", "true")
    attributes = "*.py diff=evil\n"
    repository.commit({"a.py": BODY, ".gitattributes": attributes})
    (repository.folder / ".git" / "info").mkdir(exist_ok=True)
    (repository.folder / ".git" / "info" / "attributes").write_text(attributes)
    (repository.folder / "a.py").write_text(BODY.replace("return 1", "return 1 + 0"))
    # Committed without the drivers, which git itself would run on the way.
    repository.git("commit", "--quiet", "-am", "Add nothing to the value")
    marker.unlink(missing_ok=True)
    assert len(read(repository.folder).changes) == 1
    assert not marker.exists()
    repository.attempt("diff", "HEAD~1")
    assert marker.exists(), "a plain git would have run it"


def _put_right(repository: Repository, bad: str) -> None:
    """Commit a tree, and after it an honest one."""
    first = repository.put_commit(bad)
    good = repository.put_files({b"a.py": b"x = 1\n"})
    commit = repository.git("commit-tree", good, "-p", first, "-m", "Put it right")
    (repository.folder / ".git" / "refs" / "heads" / "main").write_text(commit + "\n")


def test_a_tree_bomb_in_an_old_commit_costs_the_history_alone(
    repository: Repository, read: Ingest
) -> None:
    _put_right(repository, put_files_bomb(repository))
    snapshot = read(repository.folder, max_paths=10_000)
    assert [file.changed for file in snapshot.files] == [""]
    assert "The history wasn't read" in snapshot.notice


def test_a_bomb_of_empty_folders_in_an_old_commit_ends_on_the_processor(
    repository: Repository, read: Ingest
) -> None:
    _put_right(repository, put_bomb(repository, repository.put_tree([])))
    with pytest.raises(SourceError, match="a tenth of them on the processor") as caught:
        read(repository.folder, timeout_seconds=20)
    assert "history_commits" in caught.value.remedy
    assert len(read(repository.folder, history_commits=0).files) == 1


def test_a_damaged_history_is_a_notice(repository: Repository, read: Ingest) -> None:
    repository.commit({"a.py": BODY})
    old = repository.git("rev-parse", "HEAD^{tree}")
    _change(repository, 1, "Name the value of the first")
    (repository.folder / ".git" / "objects" / old[:2] / old[2:]).unlink()
    repository.write({"a.py": "y = 2\n"})
    snapshot = read(repository.folder)
    assert "1 file of the working folder differs" in snapshot.notice
    assert "The history wasn't read" in snapshot.notice
    assert (snapshot.changes, [file.changed for file in snapshot.files]) == ((), [""])
    assert read(repository.folder) == snapshot


@pytest.mark.parametrize("command", ["rev-list", "diff-tree"])
def test_a_history_that_takes_too_long_is_an_error_and_never_half_a_snapshot(
    command: str, repository: Repository, read: Ingest, around_git: Callable[[str], None]
) -> None:
    repository.commit({"a.py": BODY})
    _change(repository, 1, "Name the value of the first")
    around_git(f'case "$*" in *" {command} "*) exec sleep 60;; esac')
    with pytest.raises(SourceError, match="weren't read within 2 seconds"):
        read(repository.folder, timeout_seconds=2)


def test_the_digest_minds_all_that_a_change_says(repository: Repository, read: Ingest) -> None:
    repository.commit({"a.py": BODY})
    _change(repository, 1, "Name the value of the first\n\nIt was unclear.")
    snapshot = read(repository.folder)
    [change] = snapshot.changes
    digests = {
        snapshot_digest(replace(snapshot, changes=(replace(change, **{name: "other"}),)))
        for name in ("commit", "path", "subject", "body", "hunk")
    }
    assert len(digests | {snapshot_digest(snapshot)}) == 6

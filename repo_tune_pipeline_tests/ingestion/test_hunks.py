"""Hunks are told apart by their counts: no line of a file can pass for a header."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.ingestion.hunks import hunks_of
from repo_tune_pipeline_tests.ingestion.repositories import Repository

COMMIT = "0123456789" * 4
LOOKALIKES = (
    COMMIT,
    "@@ -1,3 +1,3 @@",
    "diff --git a/a.py b/a.py",
    "+++ b/a.py",
    "--- a/a.py",
    "-- a/a.py",
    "++ b/a.py",
    "\\ No newline at end of file",
    "new file mode 100644",
    "",
    " ",
    "x\r",
    "y\x0cz",
    "\u2028",
)
rows = st.lists(
    st.sampled_from(LOOKALIKES)
    | st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=8),
    max_size=30,
)
slow = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("hunks") / "shop")


@slow
@given(old=rows, new=rows, keep=st.integers(0, 30), ends=st.sampled_from(["", "\n"]))
def test_the_hunks_of_a_real_diff_are_rows_of_both_files(
    shared: Repository, old: list[str], new: list[str], keep: int, ends: str
) -> None:
    new = [*old[:keep], *new, *old[keep:]]
    trees = [
        shared.put_files({b"a.py": ("\n".join(side) + ends).encode(), b"b.py": str(side).encode()})
        for side in (old, new)
    ]
    patch = ("-p", "-U3", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")
    diff = subprocess.run(
        ["git", "diff-tree", "-r", *patch, *trees],
        cwd=shared.folder,
        capture_output=True,
        check=True,
    ).stdout
    found = hunks_of([COMMIT.encode(), *diff.split(b"\n")[:-1]], {"a.py"})[COMMIT]
    before, after = (_rows("\n".join(side) + ends) for side in (old, new))
    for hunk in reversed(found):
        there = [line[1:] for line in hunk.lines if line[0] != "-"]
        start = hunk.start_line - bool(there)
        assert after[start : hunk.end_line] == there
        after[start : hunk.end_line] = [line[1:] for line in hunk.lines if line[0] != "+"]
    assert after == before, "undoing each hunk gives the file before the change"


def _rows(text: str) -> list[str]:
    *whole, last = text.split("\n")
    return [*whole, last] if last else whole


lines = st.lists(
    st.binary(max_size=30)
    | st.sampled_from([one.encode() for one in LOOKALIKES])
    | st.from_regex(
        rb"@@ -[0-9]{1,12}(,[0-9]{1,12})? \+[0-9]{1,12}(,[0-9]{1,5000})? @@", fullmatch=True
    )
    | st.from_regex(rb"[ +-].{0,20}", fullmatch=True),
    max_size=60,
)


@slow
@given(found=lines)
def test_any_lines_are_hunks_or_nothing(found: list[bytes]) -> None:
    head = [COMMIT.encode(), b"diff --git a/a.py b/a.py", b"+++ b/a.py"]
    for commit, hunks in hunks_of([*head, *found], {"a.py"}).items():
        assert len(commit) == 40
        assert all(line[0] in " +-" for hunk in hunks for line in hunk.lines)


def test_a_commit_that_rewrites_a_file_is_not_kept_in_memory(tmp_path: Path) -> None:
    head = [COMMIT.encode(), b"diff --git a/a.py b/a.py", b"+++ b/a.py"]
    small = [*head, b"@@ -1,2 +1,2 @@", b"-a", b"+b", b" c"]
    assert [hunk.text for hunk in hunks_of(small, {"a.py"})[COMMIT]] == ["-a\n+b\n c"]
    for large in (
        [b"@@ -0,0 +1,900 @@", *[b"+x"] * 900],
        [line for _ in range(200) for line in (b"@@ -1,1 +1,3 @@", b" c", b"+x", b"+x")],
        [b"@@ -0,0 +1,1 @@", b"+" + b"x" * 3_000],
        [b"@@ -0,0 +1,1 @@", b"+\xff"],
    ):
        assert hunks_of([*small, *large], {"a.py"}) == {}

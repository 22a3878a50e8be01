"""Rows 10 to 17 through `repo-tune ingest`: git repositories that are refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest

from repo_tune_pipeline_tests.ingestion.conftest import Case, Outcome
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import (
    Ran,
    assert_offline,
    assert_refused,
)
from repo_tune_pipeline_tests.ingestion.repositories import (
    Repository,
    cut_pack,
    put_files_bomb,
)

pytestmark = pytest.mark.slow

CODE = "x = 1\n"
PRIVATE = "password = 'hunter2'\n"
NOT_FOLLOWED, NOT_CHECKED_OUT = "isn't followed", "that no git would check out"


def _alternates(shop: Repository, private: Repository) -> None:
    (shop.folder / ".git/objects/info").mkdir(exist_ok=True)
    (shop.folder / ".git/objects/info/alternates").write_text(f"{private.folder}/.git/objects\n")


def _git_file(shop: Repository, private: Repository) -> None:
    (shop.folder / ".git").rename(shop.folder / "aside")
    (shop.folder / ".git").write_text(f"gitdir: {private.folder}/.git\n")


def _git_link(shop: Repository, private: Repository) -> None:
    (shop.folder / ".git").rename(shop.folder / "aside")
    (shop.folder / ".git").symlink_to(private.folder / ".git")


def _borrowing(lead: Callable[[Repository, Repository], None], place: Place) -> Ran:
    private = Repository(place.folder / "private")
    commit = private.commit({"secret.py": PRIVATE})
    shop = Repository(place.folder / "shop")
    lead(shop, private)
    return place.ingest(shop.folder, f"--ref={commit}")


BORROWING = {
    "row-10-alternates": _alternates,
    "row-10-git-file": _git_file,
    "row-10-git-link": _git_link,
}


def _fill(repository: Repository) -> None:
    repository.commit({f"m{n}.py": f"x = {os.urandom(200).hex()!r}\n" for n in range(50)})


def _truncate(shop: Repository) -> None:
    _fill(shop)
    cut_pack(shop)


def _corrupt(shop: Repository) -> None:
    _fill(shop)
    shop.git("gc", "--quiet")
    [pack] = (shop.folder / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(bytes(40) + pack.read_bytes()[40:])


def _tree(rows: list[tuple[str, bytes]], shop: Repository) -> None:
    """A commit of the given (mode, name), each with the same content."""
    blob, inner = shop.put("blob", CODE.encode()), shop.put_files({b"a.py": CODE.encode()})
    ids = {"100644": blob, "40000": inner}
    shop.put_commit(shop.put_tree([(mode, name, ids[mode]) for mode, name in rows]))


def _bomb(shop: Repository) -> None:
    shop.put_commit(put_files_bomb(shop))


def _leave_empty(shop: Repository) -> None:
    """Nothing was ever committed to it."""


def _broken(make: Callable[[Repository], None], place: Place) -> Ran:
    shop = Repository(place.folder / "shop")
    make(shop)
    return place.ingest(shop.folder)


BROKEN: dict[str, tuple[Callable[[Repository], None], str]] = {
    "row-13-tree-bomb": (_bomb, "more than 500,000 paths"),
    "row-14-truncated-pack": (_truncate, "has no commit"),
    "row-14-corrupt-pack": (_corrupt, "has no commit"),
    "row-15-dots": (partial(_tree, [("40000", b"..")]), NOT_CHECKED_OUT),
    "row-15-git-in-capitals": (partial(_tree, [("40000", b".GIT")]), NOT_CHECKED_OUT),
    "row-15-twice": (partial(_tree, [("100644", b"a.py")] * 2), "twice"),
    "row-17-empty": (_leave_empty, "has no commit yet"),
}
CASES: dict[str, Case] = {
    **{row: partial(_borrowing, lead) for row, lead in BORROWING.items()},
    **{row: partial(_broken, make) for row, (make, _) in BROKEN.items()},
}


@pytest.mark.parametrize("row", BORROWING)
def test_what_leads_into_another_repository_is_refused(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, NOT_FOLLOWED)
    assert_offline(ran)
    assert [place for place, content in ran.everything() if b"hunter2" in content] == []
    assert [path for path in ran.opened if "/private/" in path] == []


@pytest.mark.parametrize("row", BROKEN)
def test_a_repository_that_no_honest_git_wrote_is_refused(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, BROKEN[row][1])
    assert str(ran.home.root.parent / "shop") in ran.told["error"]
    assert "git fsck" in ran.told["remedy"] or "row-14" not in row
    assert_offline(ran)

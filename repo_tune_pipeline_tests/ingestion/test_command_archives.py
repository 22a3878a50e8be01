"""Rows 31 to 35 through `repo-tune ingest`: zip and tar files."""

from __future__ import annotations

from functools import partial

import pytest

from repo_tune_pipeline_tests.ingestion.archives import (
    CODE,
    bombs,
    broken,
    nested_bomb,
    tar_of,
    through_links,
    zipped,
)
from repo_tune_pipeline_tests.ingestion.conftest import Case, Outcome
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import (
    Ran,
    assert_offline,
    assert_refused,
    assert_taken,
)

pytestmark = pytest.mark.slow

OUT = "names a path that leads out of it"
LINKS, BOMBS, BROKEN = through_links(), bombs(), broken()
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "row-31-upwards": ("a.zip", zipped({"../x.py": CODE}), OUT),
    "row-31-absolute": ("a.tar", tar_of({"/x.py": CODE}), OUT),
    "row-31-drive": ("a.zip", zipped({"C:\\x.py": CODE}), OUT),
    "row-32-through-a-link": ("a.tar", LINKS["through.tar"], "is no folder"),
    "row-32-hard-link-to-a-link": ("a.tar", LINKS["hard.tar"], "a hard link leads to what isn't"),
    "row-33-overlapping": ("a.zip", BOMBS["overlapping.zip"], "its members overlap"),
    "row-33-nested": ("a.zip", nested_bomb(), "no file that can be used"),
    "row-33-a-thousand-to-one": ("a.tar.gz", BOMBS["bomb.tar.gz"], "100 times its size"),
    "row-34-truncated": ("a.zip", BROKEN["cut.zip"], "it is cut short"),
    "row-34-encrypted": ("a.zip", BROKEN["encrypted.zip"], "it is encrypted"),
    "row-34-headers-disagree": ("a.zip", BROKEN["renamed.zip"], "its headers disagree"),
}
"""An archive's name, its bytes, and what is said of it."""
INNER = {"shop-main/a.py": CODE, "shop-main/.git/config": b"[core]\n\tfsmonitor = evil\n"}
TAKEN = {"row-35-git-folder": ("a.zip", zipped(INNER))}


def _packed(name: str, data: bytes, place: Place) -> Ran:
    (place.folder / name).write_bytes(data)
    return place.ingest(place.folder / name)


CASES: dict[str, Case] = {
    row: partial(_packed, name, data) for row, (name, data, *_) in {**REFUSED, **TAKEN}.items()
}


@pytest.mark.parametrize("row", REFUSED)
def test_an_archive_that_no_honest_program_makes_is_refused(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    name, _, why = REFUSED[row]
    assert_refused(ran, why)
    assert str(ran.home.root.parent / name) in ran.told["error"]
    assert_offline(ran)


@pytest.mark.parametrize("row", TAKEN)
def test_a_git_folder_in_an_archive_is_dropped(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_taken(ran)
    assert ran.reasons() == {"a.py": "", ".git/config": "vendored"}
    assert ran.asked_of_git == set()

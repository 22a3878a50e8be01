"""Old versions go; what a champion stands on stays."""

import os
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home, point_latest, write_json
from repo_tune_pipeline.champions import roll_back, standing
from repo_tune_pipeline.pruning import prune


def version(number: int) -> str:
    return f"{number:012x}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Ten versions, each from a data set of its own with a report; 2 was champion before 4."""
    home = Home(tmp_path)
    for number in range(10):
        name = version(number)
        for folder, file, told in (
            (home.adapters("main"), "run.json", {"dataset_digest": f"{number:012x}" + "0" * 52}),
            (home.evaluations("main"), "report.json", {"adapter": {"version": name}}),
            (home.datasets, "manifest.json", {}),
        ):
            write_json(folder / name / file, told)
            os.utime(folder / name, (1_000 + number, 1_000 + number))
            point_latest(folder / name)
    champion = {"version": version(4), "reasons": [], "withdrawn": []}
    earlier = [{"version": version(2), "reasons": []}]
    write_json(home.champion("main"), {**champion, "earlier": earlier})
    return home


def left(folder: Path) -> list[int]:
    return sorted(int(one.name, 16) for one in folder.iterdir() if not one.is_symlink())


def test_the_newest_and_every_champion_that_counts_stay_with_what_they_came_from(home):
    said = prune(home, 3, dry_run=True)
    assert left(home.adapters("main")) == list(range(10))
    done = prune(home, 3)
    assert done == said
    assert done.size > 0
    for folder in (home.adapters("main"), home.evaluations("main"), home.datasets):
        assert left(folder) == [2, 4, 7, 8, 9], folder
        assert (folder / "latest").resolve().name == version(9)
    assert prune(home, 3).folders == ()


def test_a_roll_back_finds_its_version_after_it(home):
    prune(home, 1)
    assert left(home.adapters("main")) == [2, 4, 9]
    roll_back(home, "main")
    assert standing(home, "main").champion.version == version(2)


def test_what_latest_names_stays_though_others_are_newer(home):
    point_latest(home.adapters("main") / version(0))
    prune(home, 1)
    assert left(home.adapters("main")) == [0, 2, 4, 9]


def test_a_training_under_way_keeps_its_data_set(home):
    plan = home.training("main", "f" * 64) / "plan.json"
    write_json(plan, {"dataset": str(home.datasets / version(1))})
    prune(home, 1)
    assert left(home.datasets) == [1, 2, 4, 9]


def test_nothing_is_removed_where_a_champions_record_cannot_be_read(home):
    home.champion("main").write_text("{")
    with pytest.raises(Exception, match="can't be read"):
        prune(home, 1)
    assert left(home.adapters("main")) == list(range(10))

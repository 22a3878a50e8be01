"""The champion moves on `promote`, stays on `hold`, and remembers who came before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.champions import champion, consider, roll_back, standing
from repo_tune_pipeline.errors import UsageError


def _report(version: str, decision: str) -> dict[str, object]:
    verdict = {"decision": decision, "reasons": [f"{version} was measured."]}
    return {"verdict": verdict, "adapter": {"version": version}}


def test_only_a_promoted_version_becomes_the_champion(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert consider(home, "main", _report("a", "hold")) is None
    assert champion(home, "main") is None
    assert consider(home, "main", _report("b", "promote")).version == "b"
    assert consider(home, "main", _report("c", "hold")).version == "b"
    assert consider(home, "main", _report("d", "promote")).version == "d"
    assert consider(home, "main", _report("d", "promote")).version == "d"
    assert champion(home, "rust") is None
    earlier = json.loads(home.champion("main").read_text())["earlier"]
    assert [one["version"] for one in earlier] == ["b"]


def test_the_way_back_leads_to_the_newest_version_that_is_still_there(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for version in "abcd":
        consider(home, "main", _report(version, "promote"))
    for kept in "bd":
        (home.adapters("main") / kept).mkdir(parents=True)

    assert roll_back(home, "main").champion.version == "b"

    assert champion(home, "main").version == "b"
    assert consider(home, "main", _report("d", "promote")).version == "b"  # it was taken back
    assert consider(home, "main", _report("e", "promote")).version == "e"
    (home.adapters("main") / "e").mkdir()
    assert roll_back(home, "main").champion.version == "b"
    before = standing(home, "main")
    with pytest.raises(UsageError, match="no champion whose adapter is here"):
        roll_back(home, "main")
    assert standing(home, "main") == before


def test_nothing_leads_back_from_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no champion"):
        roll_back(Home(tmp_path), "main")

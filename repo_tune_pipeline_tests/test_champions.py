"""The champion moves on `promote`, stays on `hold`, and remembers who came before."""

from __future__ import annotations

import json
from pathlib import Path

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.champions import champion, consider


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

"""Two models over one set of weights, one after the other, or each with its own, at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.evaluation import pair, prepare_evaluation
from repo_tune_pipeline.evaluation.worker import main
from repo_tune_pipeline_tests.evaluation.worlds import World


def reported(world: World, adapter: Path) -> dict[str, Any]:
    plan = world.plan(adapter)
    shutil.rmtree(plan.folder, ignore_errors=True)
    assert main([str(prepare_evaluation(plan))]) == 0
    return read_json(plan.folder / "report.json")


def test_a_report_does_not_depend_on_how_the_two_models_are_held(
    world: World, taught_adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.os, "sched_getaffinity", lambda _: {0, 1})
    assert pair.load_pair(str(world.base), taught_adapter).apart
    apart = reported(world, taught_adapter)

    monkeypatch.setattr(pair, "_SMALL_BYTES", 0)
    assert not pair.load_pair(str(world.base), taught_adapter).apart
    shared = reported(world, taught_adapter)

    for model in ("base", "adapter"):
        for context in ("plain", "retrieval"):
            told, other = (
                {name: one["value"] for name, one in report["cells"][model][context]["all"].items()}
                for report in (apart, shared)
            )
            assert told == pytest.approx(other, rel=1e-3)
    bits = {
        model: apart["cells"][model]["plain"]["all"]["bits_per_byte"]["value"]
        for model in ("base", "adapter")
    }
    assert bits["adapter"] < bits["base"] - 0.1

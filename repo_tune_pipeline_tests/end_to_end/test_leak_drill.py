"""A data set into which held-out examples got: the adapter trained on it is caught."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import repo_tune
from repo_tune_pipeline_tests.end_to_end.serving import copy_home

SHARE = 0.05


@pytest.mark.slow
def test_an_adapter_trained_with_a_twentieth_of_the_held_out_side_is_held(
    walk: Walk, tmp_path: Path
) -> None:
    home = copy_home(walk.home, tmp_path / "home")
    dataset = (home / "datasets" / "latest").resolve()
    heldout = (dataset / "heldout.jsonl").read_bytes().splitlines(keepends=True)
    leaked = heldout[:: round(1 / SHARE)]
    assert len(leaked) == math.ceil(SHARE * len(heldout))
    with (dataset / "sft.jsonl").open("ab") as file:
        file.writelines(leaked)

    trained = repo_tune("train", "--config", walk.config, "--json", home=home)
    assert trained.code == 0, trained.err
    assert trained.result["version"] != walk.result["train"]["version"]
    judged = repo_tune("evaluate", "--config", walk.config, "--json", home=home)
    assert judged.code == 0, judged.err
    verdict = judged.result["verdict"]
    assert verdict["decision"] == "hold"
    assert any("of the held-out examples or their files" in reason for reason in verdict["reasons"])

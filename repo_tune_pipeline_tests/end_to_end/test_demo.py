"""The demo, with the network cut, teaches the starter this project; wrong labels teach nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, WITHOUT_NETWORK, Done, repo_tune

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def demo(home: Path) -> Done:
    return repo_tune("demo", "--json", home=home, prefix=WITHOUT_NETWORK)


def _bits_per_byte(result: dict[str, Any], task: str = "all") -> dict[str, float]:
    """The adapter's difference from the base."""
    report = json.loads(Path(result["report_json"]).read_text())
    found = [
        one
        for one in report["differences"]
        if (one["minuend"], one["subtrahend"]) == ("adapter", "base")
        and one["context"] == one["subtrahend_context"] == "plain"
        and (one["task"], one["metric"]) == (task, "bits_per_byte")
    ]
    assert len(found) == 1
    return found[0]


def test_the_demo_ends_with_an_adapter_that_knows_held_out_files_better(demo: Done) -> None:
    assert demo.code == 0, demo.err
    evaluated = demo.result["evaluate"]
    assert evaluated["verdict"]["decision"] == "promote", evaluated["verdict"]
    assert _bits_per_byte(evaluated)["high"] < 0


def test_the_demo_again_does_nothing_again(demo: Done, home: Path) -> None:
    again = repo_tune("demo", "--json", home=home)
    assert again.err.count("unchanged, nothing done") == 4
    assert again.result == demo.result


def test_shuffled_labels_teach_nothing_about_held_out_files(
    demo: Done, home: Path, tmp_path: Path
) -> None:
    trained = repo_tune("train", "--shuffle-labels", "--json", home=home)
    assert trained.code == 0, trained.err
    assert trained.result["version"] != demo.result["train"]["version"]
    settings = yaml.safe_load((CHECKOUT / "configs" / "repo_tune.yaml").read_text())
    # What is asked for needs no written answers, which take most of an evaluation's time.
    settings["evaluation"]["max_generations"] = 0
    config = tmp_path / "repo_tune.yaml"
    config.write_text(yaml.safe_dump(settings))
    arguments = ["evaluate", "--no-placebo", "--config", config, "--json"]
    evaluated = repo_tune(*arguments, home=home).result
    # Other tasks' answers have forms, which wrong answers teach as well.
    assert _bits_per_byte(evaluated, "code_completion")["high"] > 0
    assert _bits_per_byte(demo.result["evaluate"], "code_completion")["high"] < 0
    assert evaluated["verdict"]["decision"] == "hold"
    champion = json.loads((home / "champions" / "main.json").read_text())
    assert champion["version"] == demo.result["train"]["version"]

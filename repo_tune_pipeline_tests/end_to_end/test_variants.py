"""An adapter for a part of the repositories has versions, a verdict and a champion of its own."""

from __future__ import annotations

import json

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import repo_tune


@pytest.mark.slow
def test_a_variant_learns_from_what_its_filter_takes_and_leaves_the_others_alone(
    walk: Walk,
) -> None:
    config = walk.config.with_name("variants.yaml")
    docs = "  docs: {languages: [Python], tasks: [documentation, code_explanation]}\n"
    placebo = walk.config.read_text().replace('placebo: ""', "placebo: rich")
    config.write_text(placebo + docs)
    main = (walk.home / "adapters" / "main" / "latest").resolve()
    champions = {file.name: file.read_bytes() for file in walk.home.glob("champions/*.json")}

    arguments = ("--variant", "docs", "--config", config, "--json")
    trained = repo_tune("train", *arguments, home=walk.home)
    assert trained.code == 0, trained.err
    evaluated = repo_tune("evaluate", *arguments, home=walk.home)
    assert evaluated.code == 0, evaluated.err

    folder = walk.home / "adapters" / "docs" / trained.result["version"]
    run = json.loads((folder / "run.json").read_text())
    by_task = walk.result["generate_data"]["by_task"]
    own = run["examples"]["seen"] - run["examples"]["replayed"]
    assert 0 < own <= by_task["documentation"] + by_task["code_explanation"]
    assert run["filter"]["tasks"] == ["documentation", "code_explanation"]
    report = json.loads((walk.home / "evaluations/docs/latest/report.json").read_text())
    assert "docs" in evaluated.result["report_html"]
    judged = {json.loads(line)["task"] for line in _predictions(walk)}
    assert judged
    assert judged <= {"documentation", "code_explanation"}
    assert evaluated.result["verdict"] == report["verdict"]
    assert report["cells"]["placebo"]["plain"]["all"]["bits_per_byte"]["value"] > 0
    assert list(report["placebo"]["repositories"]) == ["local/rich"]
    # As many as the adapter's, or all that the other repository gives.
    assert 0 < report["placebo"]["examples"]["seen"] <= run["examples"]["seen"]
    assert report["placebo"]["steps"] == run["steps"]
    again = repo_tune("evaluate", *arguments, home=walk.home)
    assert again.result == evaluated.result
    assert "unchanged, nothing done" in again.err

    assert (walk.home / "adapters" / "main" / "latest").resolve() == main
    champion = walk.home / "champions" / "docs.json"
    if report["verdict"]["decision"] == "promote":
        assert json.loads(champion.read_text())["version"] == trained.result["version"]
    else:
        assert not champion.exists()
    for name, before in champions.items():
        assert (walk.home / "champions" / name).read_bytes() == before


def _predictions(walk: Walk) -> list[str]:
    file = walk.home / "evaluations" / "docs" / "latest" / "predictions.jsonl"
    return file.read_text().splitlines()

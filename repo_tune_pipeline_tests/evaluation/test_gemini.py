"""Gemini beside the local models: through its own client, or left out with a reason."""

from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.evaluation import EvaluationPlan, prepare_evaluation
from repo_tune_pipeline.evaluation.worker import main
from repo_tune_pipeline.settings import AnsweringSettings, Settings
from repo_tune_pipeline_tests.evaluation.worlds import QUICK, World
from repo_tune_pipeline_tests.model_server import Answer, ModelServer


def planned(world: World, adapter: Path, url: str, *, allowed: bool = True) -> EvaluationPlan:
    answering = AnsweringSettings(i_may_send_this_code=allowed, gemini_url=url)
    settings = QUICK.model_copy(update={"max_gemini": 4, "general_texts": 0})
    return world.plan(adapter, settings=settings, whole=Settings(answering=answering))


def reported(plan: EvaluationPlan) -> dict:
    assert main([str(prepare_evaluation(plan))]) == 0
    return read_json(plan.folder / "report.json")


def test_gemini_answers_the_same_questions_over_the_same_passages(
    world: World, idle_adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "not-a-key")
    with ModelServer(lambda prompt, number: Answer("    return combine_1")) as server:
        report = reported(planned(world, idle_adapter, server.url))

    assert report["gemini"] == {"model": "gemini-flash-latest", "asked": 4, "refused": 0}
    cell = report["cells"]["gemini"]["retrieval"]["all"]
    assert "bits_per_byte" not in cell
    assert cell["edit_similarity"]["n"] <= 4
    assert len(server.prompts) == 4
    assert all("def helper_" in prompt for prompt in server.prompts)
    assert any(one["subtrahend"] == "gemini" for one in report["differences"])


def test_a_server_that_fails_costs_its_cell_and_nothing_else(
    world: World, taught_adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "not-a-key")

    def answer(prompt: str, number: int) -> Answer:
        return Answer("    pass") if number < 2 else Answer(reset=True)

    with ModelServer(answer) as server:
        report = reported(planned(world, taught_adapter, server.url))

    assert "gemini" not in report["cells"]
    assert "was lost" in report["gemini"]["problem"]
    assert report["verdict"]["decision"] == "promote"


def test_without_a_word_that_the_code_may_be_sent_nothing_is(
    world: World, idle_adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "not-a-key")
    with ModelServer(lambda prompt, number: Answer("x")) as server:
        plan = planned(world, idle_adapter, server.url, allowed=False)
        assert plan.gemini == ""
        assert reported(plan)["gemini"] == {}
    assert server.prompts == []

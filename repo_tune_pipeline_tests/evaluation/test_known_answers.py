"""The harness itself, proven with answerers whose score is known."""

import numpy as np
import pytest

from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN
from repo_tune_pipeline.evaluation.comparison import compare
from repo_tune_pipeline.evaluation.verdict import Controls, decide
from repo_tune_pipeline.settings import PromotionSettings
from repo_tune_pipeline_tests.evaluation.known import (
    PARITY,
    asked,
    copies,
    guesses,
    knows_all,
    prediction,
)
from repo_tune_pipeline_tests.evaluation.worlds import QUICK, an_example, some_examples

SHARES = ("edit_similarity", "exact_match", "identifier_f1", "whole_similarity", "parses")


def values(model, examples) -> dict[str, float]:
    comparison = compare(asked({BASE_PLAIN: copies(), ADAPTER_PLAIN: model}, examples), QUICK)
    return {name: found["value"] for name, found in comparison.cells[ADAPTER_PLAIN]["all"].items()}


def test_whoever_returns_the_reference_has_full_marks_everywhere() -> None:
    examples = [
        *some_examples(),
        an_example(700, task="code_location", output="`f` is in `src/a.py`, line 3."),
    ]
    found = values(knows_all(examples), examples)

    assert {name: found[name] for name in (*SHARES, "chrf", "rouge_l", "path_match")} == (
        dict.fromkeys((*SHARES, "chrf", "rouge_l", "path_match"), 1.0)
    )


def test_whoever_copies_the_question_gains_little_and_guesses_gain_less() -> None:
    examples = some_examples()
    copied, guessed = values(copies(), examples), values(guesses(1), examples)

    assert copied["exact_match"] == guessed["exact_match"] == 0.0
    assert guessed["edit_similarity"] < copied["edit_similarity"] < 0.5
    assert guessed["identifier_f1"] < 0.1


def test_the_base_against_itself_differs_by_nothing() -> None:
    examples = some_examples()
    comparison = compare(asked({BASE_PLAIN: copies(), ADAPTER_PLAIN: copies()}, examples), QUICK)

    assert comparison.differences
    assert all(one.interval.low == one.interval.high == 0.0 for one in comparison.differences)
    assert {one.direction for one in comparison.differences} == {"undecided"}


def test_two_models_of_the_same_worth_are_told_apart_about_as_often_as_it_says() -> None:
    """Over repeated seeds: no true difference, yet noise in every file and example."""
    found = promoted = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        by_file = rng.normal(0, 0.1, 40)
        predictions = [
            prediction(
                an_example(number, path=f"src/{number % 40}.py"),
                2.0,
                2.0 + by_file[number % 40] + rng.normal(0, 0.2),
            )
            for number in range(160)
        ]
        comparison = compare(predictions, QUICK.model_copy(update={"seed": seed}))
        difference = comparison.difference("all", "bits_per_byte")
        assert difference is not None
        found += difference.direction != "undecided"
        controls = Controls(parity=PARITY)
        verdict = decide(predictions, comparison, PromotionSettings(), controls)
        promoted += verdict.decision == "promote"
    assert 0.02 <= found / 200 <= 0.11
    assert promoted / 200 <= 0.05


def test_of_many_tasks_chance_rarely_strikes_one_after_the_correction() -> None:
    """Seven tasks without a true difference: without the correction, one in four runs errs."""
    tasks = ("code_completion", "domain", "change", "documentation", "api_usage", "code_location")
    struck = naive = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        predictions = [
            prediction(
                an_example(number, task=tasks[number % 6], path=f"src/{number // 6}.py"),
                2.0,
                2.0 + rng.normal(0, 0.2),
            )
            for number in range(240)
        ]
        differences = compare(predictions, QUICK.model_copy(update={"seed": seed})).differences
        parts = [
            one for one in differences if one.metric.name == "bits_per_byte" and one.task != "all"
        ]
        struck += any(one.direction != "undecided" for one in parts)
        naive += any(not one.interval.low <= 0 <= one.interval.high for one in parts)
    assert struck <= 11
    assert naive > 2 * struck


def test_a_true_difference_is_found_in_its_task_alone() -> None:
    predictions = [
        prediction(
            an_example(number, task=("domain", "change")[number % 2], path=f"src/{number // 2}.py"),
            2.0,
            2.0 + (-0.5 if number % 2 else 0.0) + 0.05 * (-1) ** (number // 2),
        )
        for number in range(80)
    ]
    comparison = compare(predictions, QUICK)
    directions = {
        one.task: one.direction
        for one in comparison.differences
        if one.metric.name == "bits_per_byte"
    }

    assert directions == {"all": "better", "domain": "undecided", "change": "better"}
    assert comparison.value(BASE_PLAIN, "change", "bits_per_byte") == pytest.approx(2.0)

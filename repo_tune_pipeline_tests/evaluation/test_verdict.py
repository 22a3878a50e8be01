from collections.abc import Callable
from dataclasses import replace

import pytest

from repo_tune_pipeline.evaluation.comparison import compare
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.verdict import decide
from repo_tune_pipeline_tests.evaluation.worlds import QUICK, an_example


def some_predictions(count: int, apart: Callable[[int], float]) -> list[Prediction]:
    """Explanations of 100 bytes, on which the adapter needs `apart(number)` nats more."""
    return [
        Prediction(
            an_example(number, task="code_explanation", path=f"src/{number % 20}.py"),
            100,
            25,
            {"base": 80.0 + number % 7, "adapter": 80.0 + number % 7 + apart(number)},
            {},
            0,
        )
        for number in range(count)
    ]


def decided(count: int, apart: Callable[[int], float]) -> tuple[str, str]:
    predictions = some_predictions(count, apart)
    verdict = decide(predictions, compare(predictions, QUICK))
    return verdict.decision, " ".join(verdict.reasons)


def test_an_adapter_that_is_surely_better_is_promoted() -> None:
    decision, reasons = decided(60, lambda number: -10.0 + number % 3)

    assert decision == "promote"
    assert reasons.startswith("On 60 held-out examples from 20 files the adapter needs 0.130 bits")


def test_an_adapter_that_is_worse_is_held_and_called_so() -> None:
    decision, reasons = decided(60, lambda number: 10.0 + number % 3)

    assert decision == "hold"
    assert "bits per byte more than the base model" in reasons


@pytest.mark.parametrize("count", [19, 7])
def test_too_little_evidence_is_held_however_good_it_looks(count: int) -> None:
    decision, reasons = decided(count, lambda number: -10.0 + number % 3)

    assert decision == "hold"
    assert f"Only {count} held-out examples could be compared" in reasons


def test_a_difference_that_chance_explains_is_held() -> None:
    decision, reasons = decided(60, lambda number: 10.0 if number % 2 else -10.0)

    assert decision == "hold"
    assert "can't be told from zero" in reasons


@pytest.mark.parametrize(
    ("on_code", "decision", "words"),
    [
        (-10.0, "promote", "it needs 0.1"),
        (0.0, "hold", "can't be told from zero"),
        (10.0, "hold", "more"),
    ],
)
def test_an_adapter_that_learnt_only_the_form_of_answers_is_held(
    on_code: float, decision: str, words: str
) -> None:
    """Much better where answers have a form; on code alone as stated."""
    explanations = some_predictions(60, lambda number: -30.0 + number % 3)
    completions = [
        replace(
            one,
            example=an_example(number + 100, task="code_completion", path=one.example.meta.path),
        )
        for number, one in enumerate(
            some_predictions(40, lambda number: on_code + 3.0 * (-1) ** number)
        )
    ]
    predictions = [*explanations, *completions]
    verdict = decide(predictions, compare(predictions, QUICK))
    assert verdict.decision == decision
    assert "completions among them" in verdict.reasons[-1]
    assert words in verdict.reasons[-1]


def test_what_was_not_measured_is_absent() -> None:
    comparison = compare(some_predictions(1, lambda number: -1.0), QUICK)

    assert comparison.differences == ()
    assert set(comparison.cells["base"]["all"]) == {"bits_per_byte", "loss"}

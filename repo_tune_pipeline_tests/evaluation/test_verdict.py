from collections.abc import Callable

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


def test_what_was_not_measured_is_absent() -> None:
    comparison = compare(some_predictions(1, lambda number: -1.0), QUICK)

    assert comparison.differences == ()
    assert set(comparison.cells["base"]["all"]) == {"bits_per_byte", "loss"}

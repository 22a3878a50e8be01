from collections.abc import Callable

import pytest

from repo_tune_pipeline.evaluation.comparison import compare
from repo_tune_pipeline.evaluation.leaks import Leaks
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.verdict import Controls, Verdict, decide
from repo_tune_pipeline.settings import PromotionSettings
from repo_tune_pipeline_tests.evaluation.known import PARITY, prediction
from repo_tune_pipeline_tests.evaluation.worlds import QUICK, an_example

CLEAN = Leaks(0, 0)
ALIKE = Controls(parity=PARITY)


def some_predictions(
    count: int, apart: Callable[[int], float], placebo: Callable[[int], float] | None = None
) -> list[Prediction]:
    """Explanations from twenty files, on which the adapter needs `apart(number)` bits more."""
    return [
        prediction(
            an_example(number, task="code_explanation", path=f"src/{number % 20}.py"),
            base := 2.0 + number % 7 / 10,
            base + apart(number),
            **({"placebo": base + placebo(number)} if placebo else {}),
        )
        for number in range(count)
    ]


def decided(predictions: list[Prediction], controls: Controls = ALIKE) -> Verdict:
    return decide(predictions, compare(predictions, QUICK), PromotionSettings(), controls)


def surely_better(number: int) -> float:
    return -0.3 + number % 3 / 100


def test_an_adapter_that_is_surely_better_is_promoted() -> None:
    verdict = decided(some_predictions(60, surely_better))

    assert verdict.decision == "promote"
    assert verdict.reasons[0].startswith(
        "On 60 held-out examples from 20 files the adapter needs 0.290 bits per byte fewer"
    )


def test_an_adapter_that_is_worse_is_held_and_called_so() -> None:
    verdict = decided(some_predictions(60, lambda number: 0.3))

    assert verdict.decision == "hold"
    assert "bits per byte more than the base model" in verdict.reasons[0]


@pytest.mark.parametrize("count", [19, 7])
def test_too_little_evidence_is_held_however_good_it_looks(count: int) -> None:
    verdict = decided(some_predictions(count, surely_better))

    assert verdict.decision == "hold"
    assert verdict.reasons[0].startswith(f"Only {count} held-out examples could be compared")


def test_where_chance_explains_it_the_verdict_says_what_it_would_take() -> None:
    verdict = decided(some_predictions(60, lambda number: 0.3 if number % 2 else -0.3))

    assert verdict.decision == "hold"
    assert "can't be told from the base model" in verdict.reasons[0]
    assert "To see a difference of 2 % takes about" in verdict.reasons[0]


def test_a_difference_that_is_sure_but_tiny_is_not_worth_having() -> None:
    verdict = decided(some_predictions(60, lambda number: -0.01 + number % 3 / 1000))

    assert verdict.decision == "hold"
    assert "less than the 2 % that are worth having" in verdict.reasons[0]


def test_what_a_placebo_gains_as_well_counts_for_nothing() -> None:
    form = decided(some_predictions(60, surely_better, lambda number: -0.3 + number % 4 / 100))
    known = decided(some_predictions(60, surely_better, lambda number: -0.1))

    assert form.decision == "hold"
    assert "the placebo" in form.reasons[0]
    assert known.decision == "promote"
    assert any("fewer than the placebo" in reason for reason in known.reasons)


@pytest.mark.parametrize(
    ("on_code", "decision", "words"),
    [
        (-0.1, "promote", "it needs 0.1"),
        (0.0, "hold", "can't be told from"),
        (0.1, "hold", "more"),
    ],
)
def test_an_adapter_that_learnt_only_the_form_of_answers_is_held(
    on_code: float, decision: str, words: str
) -> None:
    """Much better where answers have a form; on code alone as stated."""
    completions = [
        prediction(
            an_example(number + 100, task="code_completion", path=f"src/{number % 20}.py"),
            2.0,
            2.0 + on_code + 0.03 * (-1) ** (number % 20),
        )
        for number in range(40)
    ]
    verdict = decided([*some_predictions(60, surely_better), *completions])

    [on_the_code] = [reason for reason in verdict.reasons if "completions among them" in reason]
    assert verdict.decision == decision
    assert words in on_the_code


RECITED = {"training": {"asked": 32, "by_adapter_alone": 2}, "secrets": 0}


@pytest.mark.parametrize(
    ("controls", "against"),
    [
        (Controls(CLEAN, {"all": {"change": 0.01}}, RECITED, PARITY), ""),
        (Controls(Leaks(3, 0), parity=PARITY), "learned from 3 of the held-out examples"),
        (Controls(Leaks(None, 9), parity=PARITY), "gives back 9 held-out texts"),
        (
            Controls(Leaks(None, 0, 0.5, 0.4, 0.6, 0.1), parity=PARITY),
            "gained more on held-out code",
        ),
        (Controls(general={"all": {"change": 0.2}}, parity=PARITY), "20.0 % more bits per byte"),
        (
            Controls(
                memorisation={"training": {"asked": 32, "by_adapter_alone": 30}}, parity=PARITY
            ),
            "gives back 30 of 32 training texts",
        ),
        (Controls(memorisation={"secrets": 1}, parity=PARITY), "looks like a secret"),
        (Controls(parity={**PARITY, "agree": False}), "Served isn't what was trained"),
        (Controls(CLEAN, parity={}), "no answers of the model as it was trained"),
        (Controls(CLEAN), "Train it again"),
    ],
)
def test_each_control_can_hold_an_adapter_that_is_better(controls, against: str) -> None:
    verdict = decided(some_predictions(60, surely_better), controls)

    assert verdict.decision == ("hold" if against else "promote")
    assert against in verdict.reasons[0]


def test_what_was_not_measured_is_absent() -> None:
    comparison = compare(some_predictions(1, lambda number: -1.0), QUICK)

    assert comparison.differences == ()
    assert {cell.model for cell in comparison.cells} == {"base", "adapter"}
    assert comparison.languages == {}

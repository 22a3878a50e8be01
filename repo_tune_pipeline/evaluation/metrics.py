"""What is measured. Every metric is a sum over a sum, so that one bootstrap serves them all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from repo_tune_pipeline.evaluation.predictions import Prediction

ALL = "all"

Terms = Callable[[Prediction, str], tuple[float, float] | None]
"""From a prediction and a cell, what it adds above and below the line; None where not measured."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number for people, with its unit and the direction that is better."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]
    terms: Terms


def _loss(prediction: Prediction, cell: str) -> tuple[float, float]:
    return prediction.nats[cell], prediction.tokens


def _bits_per_byte(prediction: Prediction, cell: str) -> tuple[float, float]:
    return prediction.nats[cell] / math.log(2), prediction.bytes


def _exact_match(prediction: Prediction, cell: str) -> tuple[float, float] | None:
    judged = prediction.judged.get(cell)
    return None if judged is None else (float(judged.exact), 1.0)


def _edit_similarity(prediction: Prediction, cell: str) -> tuple[float, float] | None:
    judged = prediction.judged.get(cell)
    return None if judged is None else (judged.similarity, 1.0)


METRICS = (
    Metric("bits_per_byte", "Bits per byte", "bits per byte of the reference", "lower",
           _bits_per_byte),
    Metric("loss", "Loss", "nats per token of the answer", "lower", _loss),
    Metric("edit_similarity", "Edit similarity", "0 to 1, completions only", "higher",
           _edit_similarity),
    Metric("exact_match", "Exact match", "share of completions", "higher", _exact_match),
)  # fmt: skip


def tasks_of(predictions: Sequence[Prediction]) -> list[str]:
    """`all`, then the tasks by name."""
    return [ALL, *sorted({one.example.meta.task for one in predictions})]


def of_task(predictions: Sequence[Prediction], task: str) -> list[Prediction]:
    """Those of one task, or every one for `all`."""
    return [one for one in predictions if task in (ALL, one.example.meta.task)]


def measure(
    predictions: Sequence[Prediction], metric: Metric, cell: str
) -> dict[str, float | int] | None:
    """`{value, n}` of one metric in one cell, or None where it was measured on nothing."""
    terms = [found for one in predictions if (found := metric.terms(one, cell)) is not None]
    below = math.fsum(term[1] for term in terms)
    if not below:
        return None
    return {"value": math.fsum(term[0] for term in terms) / below, "n": len(terms)}

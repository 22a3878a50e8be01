"""What is measured. Every metric is a sum over a sum, so that one bootstrap serves them all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repo_tune_pipeline.evaluation.bootstrap import Terms
from repo_tune_pipeline.evaluation.cells import Cell
from repo_tune_pipeline.evaluation.predictions import Prediction

ALL = "all"


@dataclass(frozen=True, slots=True)
class Metric:
    """One number for people, with its unit and the direction that is better."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher"]


METRICS = (
    Metric("bits_per_byte", "Bits per byte", "bits per byte of the reference", "lower"),
    Metric("loss", "Loss", "nats per token of the answer", "lower"),
    Metric("edit_similarity", "Edit similarity", "of a completion's first statement, 0 to 1",
           "higher"),
    Metric("exact_match", "Exact match", "share of completions' first statements", "higher"),
    Metric("identifier_f1", "Identifier F1", "of a completion's first statement, 0 to 1",
           "higher"),
    Metric("whole_similarity", "Similarity of the whole", "completions, 0 to 1", "higher"),
    Metric("parses", "Parses", "share of completions", "higher"),
    Metric("path_match", "Exact paths", "share of locations", "higher"),
    Metric("chrf", "chrF", "texts and other code, 0 to 1", "higher"),
    Metric("rouge_l", "ROUGE-L", "texts, 0 to 1", "higher"),
    Metric("grounding", "Grounding", "share of names that exist in the repository", "higher"),
)  # fmt: skip


def terms_of(prediction: Prediction, metric: Metric, cell: Cell) -> Terms | None:
    """What a prediction adds above and below the line; None where it wasn't measured."""
    outcome = prediction.outcomes.get(cell)
    return None if outcome is None else outcome.terms.get(metric.name)


def tasks_of(predictions: Sequence[Prediction]) -> list[str]:
    """`all`, then the tasks by name."""
    return [ALL, *sorted({one.example.meta.task for one in predictions})]


def of_task(predictions: Sequence[Prediction], task: str) -> list[Prediction]:
    """Those of one task, or every one for `all`."""
    return [one for one in predictions if task in (ALL, one.example.meta.task)]


def measure(
    predictions: Sequence[Prediction], metric: Metric, cell: Cell
) -> dict[str, float | int] | None:
    """`{value, n}` of one metric in one cell, or None where it was measured on nothing."""
    terms = [found for one in predictions if (found := terms_of(one, metric, cell)) is not None]
    below = math.fsum(term[1] for term in terms)
    if not below:
        return None
    return {"value": math.fsum(term[0] for term in terms) / below, "n": len(terms)}

"""All metrics in all cells, and the adapter's differences from the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repo_tune_pipeline.evaluation.bootstrap import Interval, paired_difference
from repo_tune_pipeline.evaluation.metrics import METRICS, Metric, measure, of_task, tasks_of
from repo_tune_pipeline.evaluation.predictions import CELLS, Prediction
from repo_tune_pipeline.settings import EvaluationSettings

CONTEXT = "plain"
"""What a model is given beside the question; nothing, here."""

Values = dict[str, dict[str, dict[str, float | int]]]
"""By task and metric: `{value, n}`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Adapter - base of one metric on one task."""

    task: str
    metric: Metric
    interval: Interval

    @property
    def direction(self) -> str:
        """`better` or `worse` where the whole interval is, and otherwise `undecided`."""
        low, high = self.interval.low, self.interval.high
        if low <= 0 <= high:
            return "undecided"
        return "better" if (high < 0) == (self.metric.better == "lower") else "worse"

    def as_dict(self) -> dict[str, object]:
        return {
            "minuend": "adapter",
            "subtrahend": "base",
            "context": CONTEXT,
            "task": self.task,
            "metric": self.metric.name,
            "difference": self.interval.difference,
            "low": self.interval.low,
            "high": self.interval.high,
            "n": self.interval.n,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """`cells` by name; `differences` by task (`all` first) and metric.

    What wasn't measured is absent: a metric without examples, a difference without two files.
    """

    cells: dict[str, Values]
    differences: tuple[Difference, ...]

    def difference(self, task: str, metric: str) -> Difference | None:
        wanted = (task, metric)
        found = (one for one in self.differences if (one.task, one.metric.name) == wanted)
        return next(found, None)


def compare(predictions: Sequence[Prediction], settings: EvaluationSettings) -> Comparison:
    """Measure every metric on every task, and adapter against base."""
    cells: dict[str, Values] = {cell: {} for cell in CELLS}
    differences: list[Difference] = []
    for task in tasks_of(predictions):
        some = of_task(predictions, task)
        for metric in METRICS:
            for cell in CELLS:
                value = measure(some, metric, cell)
                if value is not None:
                    cells[cell].setdefault(task, {})[metric.name] = value
            interval = _interval(some, metric, settings)
            if interval is not None:
                differences.append(Difference(task, metric, interval))
    return Comparison(cells, tuple(differences))


def _interval(
    predictions: Sequence[Prediction], metric: Metric, settings: EvaluationSettings
) -> Interval | None:
    rows = [
        (adapter[0], base[0], base[1], one.file)
        for one in predictions
        if (adapter := metric.terms(one, "adapter")) and (base := metric.terms(one, "base"))
    ]
    if not rows:
        return None
    adapters, bases, weights, files = zip(*rows, strict=True)
    return paired_difference(
        adapters,
        bases,
        weights,
        files,
        resamples=settings.bootstrap_resamples,
        seed=settings.seed,
    )

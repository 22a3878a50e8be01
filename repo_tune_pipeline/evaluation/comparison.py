"""All metrics in all cells, and the differences between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from repo_tune_pipeline.evaluation.bootstrap import Interval, Terms, paired_difference
from repo_tune_pipeline.evaluation.cells import (
    ADAPTER_PLAIN,
    BASE_PLAIN,
    CELLS,
    COMPARED,
    Cell,
)
from repo_tune_pipeline.evaluation.holm import holm
from repo_tune_pipeline.evaluation.metrics import (
    ALL,
    METRICS,
    Metric,
    measure,
    of_task,
    tasks_of,
    terms_of,
)
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.settings import EvaluationSettings

SIGNIFICANT = 0.05

Values = dict[str, dict[str, dict[str, float | int]]]
"""By task and metric: `{value, n}`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Minuend - subtrahend of one metric on one task.

    `adjusted` is the p-value after Holm's correction over the tasks; of all tasks together it is
    the interval's own.
    """

    minuend: Cell
    subtrahend: Cell
    task: str
    metric: Metric
    interval: Interval
    adjusted: float

    @property
    def direction(self) -> Literal["better", "worse", "undecided"]:
        """`better` or `worse` where the whole interval is and the correction leaves it so."""
        low, high = self.interval.low, self.interval.high
        if low <= 0 <= high or self.adjusted >= SIGNIFICANT:
            return "undecided"
        return "better" if (high < 0) == (self.metric.better == "lower") else "worse"

    def as_dict(self) -> dict[str, object]:
        return {
            "minuend": self.minuend.model,
            "subtrahend": self.subtrahend.model,
            "context": self.minuend.context,
            "subtrahend_context": self.subtrahend.context,
            "task": self.task,
            "metric": self.metric.name,
            "difference": self.interval.difference,
            "low": self.interval.low,
            "high": self.interval.high,
            "n": self.interval.n,
            "files": self.interval.clusters,
            "p": self.interval.p,
            "p_holm": self.adjusted,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """`cells` by cell, task and metric; `differences` by pair, metric and task (`all` first).

    `languages` hold bits per byte, adapter - base, for each language. What wasn't measured is
    absent: a metric without examples, a difference without two files.
    """

    cells: dict[Cell, Values]
    differences: tuple[Difference, ...]
    languages: dict[str, Interval]

    def value(self, cell: Cell, task: str, metric: str) -> float | None:
        found = self.cells.get(cell, {}).get(task, {}).get(metric)
        return None if found is None else float(found["value"])

    def difference(
        self,
        task: str,
        metric: str,
        minuend: Cell = ADAPTER_PLAIN,
        subtrahend: Cell = BASE_PLAIN,
    ) -> Difference | None:
        wanted = (minuend, subtrahend, task, metric)
        return next((one for one in self.differences if _key(one) == wanted), None)

    def by_model(self) -> dict[str, dict[str, Values]]:
        """`cells` of `report.json`: by model and context."""
        nested: dict[str, dict[str, Values]] = {}
        for cell, values in self.cells.items():
            nested.setdefault(cell.model, {})[cell.context] = values
        return nested


def compare(predictions: Sequence[Prediction], settings: EvaluationSettings) -> Comparison:
    """Measure every metric on every task in each cell that was run, and the cells' differences."""
    run = {cell for one in predictions for cell in one.outcomes}
    there = [cell for cell in CELLS if cell in run]
    tasks = tasks_of(predictions)
    cells: dict[Cell, Values] = {cell: {} for cell in there}
    for task in tasks:
        some = of_task(predictions, task)
        for cell in there:
            measured = {metric.name: measure(some, metric, cell) for metric in METRICS}
            found = {name: value for name, value in measured.items() if value is not None}
            if found:
                cells[cell][task] = found
    differences = [
        one
        for minuend, subtrahend in COMPARED
        if {minuend, subtrahend} <= run
        for metric in METRICS
        for one in _differences(predictions, tasks, metric, (minuend, subtrahend), settings)
    ]
    return Comparison(cells, tuple(differences), _by_language(predictions, settings))


def _differences(
    predictions: Sequence[Prediction],
    tasks: Sequence[str],
    metric: Metric,
    pair: tuple[Cell, Cell],
    settings: EvaluationSettings,
) -> list[Difference]:
    found: list[Difference] = []
    for task in tasks:
        interval = paired(of_task(predictions, task), metric, pair, settings)
        if interval is not None:
            found.append(Difference(*pair, task, metric, interval, interval.p))
    parts = [at for at, one in enumerate(found) if one.task != ALL]
    for at, p in zip(parts, holm([found[at].interval.p for at in parts]), strict=True):
        found[at] = replace(found[at], adjusted=p)
    return found


def paired(
    predictions: Iterable[Prediction],
    metric: Metric,
    pair: tuple[Cell, Cell],
    settings: EvaluationSettings,
) -> Interval | None:
    """The interval of one difference, or None where there is none."""
    rows: list[tuple[Terms, Terms, tuple[str, str]]] = []
    for one in predictions:
        minuend, subtrahend = (terms_of(one, metric, cell) for cell in pair)
        if minuend is not None and subtrahend is not None:
            rows.append((minuend, subtrahend, one.file))
    if not rows:
        return None
    minuends, subtrahends, files = zip(*rows, strict=True)
    return paired_difference(
        minuends,
        subtrahends,
        files,
        resamples=settings.bootstrap_resamples,
        seed=settings.seed,
    )


def _by_language(
    predictions: Sequence[Prediction], settings: EvaluationSettings
) -> dict[str, Interval]:
    languages = sorted({one.example.meta.language for one in predictions})
    found = {
        language: paired(
            [one for one in predictions if one.example.meta.language == language],
            METRICS[0],
            (ADAPTER_PLAIN, BASE_PLAIN),
            settings,
        )
        for language in languages
    }
    return {language: interval for language, interval in found.items() if interval is not None}


def _key(one: Difference) -> tuple[Cell, Cell, str, str]:
    return one.minuend, one.subtrahend, one.task, one.metric.name

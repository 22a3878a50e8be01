"""What the page shows beside the tables of metrics: the cells, the controls, what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from repo_tune_pipeline.evaluation.bootstrap import Interval
from repo_tune_pipeline.evaluation.cells import (
    ADAPTER_PLAIN,
    ADAPTER_RETRIEVAL,
    BASE_PLAIN,
    BASE_RETRIEVAL,
    CELLS,
    COMPARED,
    GEMINI_RETRIEVAL,
    PLACEBO_PLAIN,
    PLAIN,
)
from repo_tune_pipeline.evaluation.charts import bar, interval_chart, reach_of
from repo_tune_pipeline.evaluation.comparison import Comparison, Difference
from repo_tune_pipeline.evaluation.metrics import ALL, METRICS
from repo_tune_pipeline.evaluation.report import Report
from repo_tune_pipeline.evaluation.wording import counted, percent, signed

_CHARTED = (("bits_per_byte", ALL), ("edit_similarity", "code_completion"))
_QUESTIONS = {
    (ADAPTER_PLAIN, BASE_PLAIN): "Does the adapter know this code better than the base?",
    (ADAPTER_PLAIN, PLACEBO_PLAIN): "Is that the repository, and not just form and style?",
    (ADAPTER_RETRIEVAL, BASE_RETRIEVAL): "Is it better where both are given passages?",
    (ADAPTER_PLAIN, BASE_RETRIEVAL): "Would retrieval alone have done as well?",
    (BASE_RETRIEVAL, BASE_PLAIN): "What do passages give the base?",
    (ADAPTER_RETRIEVAL, ADAPTER_PLAIN): "What do passages give the adapter?",
    (ADAPTER_RETRIEVAL, GEMINI_RETRIEVAL): "And beside Gemini?",
}


def cell_charts(report: Report) -> list[dict[str, Any]]:
    """For the metrics that decide: every cell as a bar, and every difference with its interval."""
    found: list[dict[str, Any]] = []
    by_name = {metric.name: metric for metric in METRICS}
    for name, task in _CHARTED:
        metric, comparison = by_name[name], report.comparison
        values = {
            cell: value
            for cell in CELLS
            if (value := comparison.value(cell, task, name)) is not None
        }
        if not values:
            continue
        most = max(values.values()) or 1.0
        found.append(
            {
                "title": metric.title,
                "unit": f"{metric.unit}, {metric.better} is better",
                "bars": [
                    {
                        "name": cell.title.capitalize(),
                        "value": f"{value:.3f}",
                        "bar": bar(value, most, cell.model),
                    }
                    for cell, value in values.items()
                ],
                "rows": list(_pairs(comparison, task, name)),
                **dict(zip(("left", "right"), _sides(metric.better), strict=True)),
            }
        )
    return found


def cell_matrix(report: Report) -> dict[str, Any]:
    """Every metric over all tasks, in every cell."""
    cells = [cell for cell in CELLS if cell in report.comparison.cells]
    rows = [
        {
            "name": metric.title,
            "better": metric.better,
            "values": [
                {"cell": cell.title.capitalize(), "text": "–" if value is None else f"{value:.3f}"}
                for cell in cells
                for value in [report.comparison.value(cell, ALL, metric.name)]
            ],
        }
        for metric in METRICS
        if any(report.comparison.value(cell, ALL, metric.name) is not None for cell in cells)
    ]
    return {"cells": [cell.title.capitalize() for cell in cells], "rows": rows}


def language_rows(report: Report) -> list[dict[str, Any]]:
    """Bits per byte, adapter - base, in each language."""
    found = report.comparison.languages
    reach = reach_of(list(found.values()))
    return [
        {"name": name, "n": interval.n, "files": interval.clusters, **_drawn(interval, reach)}
        for name, interval in found.items()
    ]


def control_rows(report: Report) -> list[dict[str, str]]:
    """Each control with what was measured; `kind` is `better`, `worse` or empty."""
    return [
        row
        for row in (
            _placebo(report),
            _recent(report),
            _general(report),
            _memorised(report),
            _leaks(report),
            _parity(report),
        )
        if row
    ]


def cost_rows(report: Report) -> list[tuple[str, str]]:
    """Seconds and speed of each cell, and of the training."""
    rows: list[tuple[str, str]] = []
    for model, contexts in report.timings.items():
        for context, timing in contexts.items():
            name = model if context == PLAIN else f"{model} with {context}"
            parts: list[str] = []
            if timing["answers"]:
                each = timing["answering_seconds"] / timing["answers"]
                speed = timing["answer_tokens"] / max(timing["answering_seconds"], 1e-9)
                parts.append(f"{each:.2f} s an answer, {speed:,.0f} tokens a second")
            if timing["scored"]:
                parts.append(
                    f"{timing['scored']} examples scored in {timing['scoring_seconds']:.1f} s"
                )
            rows.append((name.capitalize(), "; ".join(parts)))
    run = report.data["adapter"]
    if "seconds" in run:
        peak = float(run.get("peak_memory_bytes", 0)) / 1e9
        rows.append(("Training", f"{run['steps']} steps in {run['seconds']:.0f} s, {peak:.1f} GB"))
    return rows


def _pairs(comparison: Comparison, task: str, metric: str) -> Iterator[dict[str, Any]]:
    found = [
        one
        for minuend, subtrahend in COMPARED
        if (one := comparison.difference(task, metric, minuend, subtrahend)) is not None
    ]
    reach = reach_of([one.interval for one in found])
    for one in found:
        yield {
            "question": _QUESTIONS[one.minuend, one.subtrahend],
            "name": f"{one.minuend.title} − {one.subtrahend.title}",
            "answer": _answered(one),
            **_drawn(one.interval, reach, one.direction),
        }


def _answered(one: Difference) -> str:
    return {"better": "better", "worse": "worse", "undecided": "not proven"}[one.direction]


def _drawn(interval: Interval, reach: float, direction: str = "") -> dict[str, Any]:
    if not direction:
        undecided = interval.low <= 0 <= interval.high
        direction = "undecided" if undecided else "better" if interval.high < 0 else "worse"
    chart: Markup = interval_chart(interval, reach, direction)
    return {
        "difference": signed(interval.difference),
        "bounds": f"{signed(interval.low)} to {signed(interval.high)}",
        "direction": direction,
        "chart": chart,
    }


def _sides(better: str) -> tuple[str, str]:
    return ("better", "worse") if better == "lower" else ("worse", "better")


def _placebo(report: Report) -> dict[str, str]:
    run = report.data["placebo"]
    if not run:
        return _row("Placebo", "Not trained: `evaluation.placebo` is empty.", "")
    kept = run.get("examples", {}).get("kept", 0)
    repositories = ", ".join(run.get("repositories", {}))
    return _row("Placebo", f"The same recipe on {kept:,} examples of {repositories}.", "")


def _recent(report: Report) -> dict[str, str]:
    if report.recent is None:
        return _row("By age", "No file was held out for its age.", "")
    one = report.recent.difference(ALL, "bits_per_byte")
    told = report.data["recent"]
    on = f"On {told['examples']} examples of the {told['files']} files that changed last"
    if one is None:
        return _row("By age", f"{on}: one file only, no interval.", "")
    bounds = f"{signed(one.interval.low)} to {signed(one.interval.high)}"
    text = f"{on}: {signed(one.interval.difference)} bits per byte ({bounds})."
    return _row("By age", text, one.direction)


def _general(report: Report) -> dict[str, str]:
    told = report.data["general"]
    if "all" not in told or "change" not in told["all"]:
        return {}
    kinds = [
        f"{kind} {percent(told[kind]['change'])} ({percent(told[kind]['low'])} to "
        f"{percent(told[kind]['high'])})"
        for kind in ("code", "prose", "all")
        if kind in told
    ]
    text = f"Bits per byte on code and prose from elsewhere: {', '.join(kinds)}."
    if "completion" in told:
        done = told["completion"]
        text += f" Edit similarity of completions: {done['base']:.3f} → {done['adapter']:.3f}."
    limit = report.plan.settings.promotion.max_general_loss
    return _row("What it forgot", text, "worse" if told["all"]["change"] > limit else "better")


def _memorised(report: Report) -> dict[str, str]:
    told = report.data["memorisation"]
    if not told:
        return {}
    training, secrets = told["training"], told["secrets"]
    text = (
        f"Of {training['asked']} training texts it gives back {training['adapter']} for "
        f"{told['tokens']} tokens, the base {training['base']}. Secrets in its answers: {secrets}."
    )
    return _row("Learned by heart", text, "worse" if secrets else "better")


def _leaks(report: Report) -> dict[str, str]:
    leaks = report.controls.leaks
    if leaks is None:
        return {}
    if leaks.found:
        return _row("Leaks", f"{'; '.join(leaks.found).capitalize()}.", "worse")
    record = (
        "Its record of what it learned names no held-out example and no file of one"
        if leaks.learned is not None
        else "It kept no record of what it learned"
    )
    return _row("Leaks", f"{record}; held-out texts given back: {leaks.recited}.", "better")


def _parity(report: Report) -> dict[str, str]:
    told = report.data["parity"]
    if not told:
        return _row("Served equals trained", "Not compared: the trainer left no answers.", "worse")
    text = (
        f"{counted(told['prompts'], 'prompt')} compared: trained and saved lie "
        f"{told['trained_to_reloaded']:.4f} nats per token apart, served and merged "
        f"{told['served_to_merged']:.4f}; "
        f"{told['answers_alike']} answers alike."
    )
    return _row("Served equals trained", text, "better" if told["agree"] else "worse")


def _row(name: str, text: str, direction: str) -> dict[str, str]:
    return {"name": name, "text": text, "kind": direction}

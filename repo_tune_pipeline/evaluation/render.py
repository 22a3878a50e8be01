"""The report for people: one HTML file without network or scripts, and the same in Markdown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN, PLACEBO_PLAIN
from repo_tune_pipeline.evaluation.charts import interval_chart, loss_curve, reach_of
from repo_tune_pipeline.evaluation.comparison import Comparison
from repo_tune_pipeline.evaluation.examples import best_and_worst, gained_bits, gained_similarity
from repo_tune_pipeline.evaluation.facts import fact_tables
from repo_tune_pipeline.evaluation.metrics import ALL, METRICS, Metric, tasks_of
from repo_tune_pipeline.evaluation.panes import example_view
from repo_tune_pipeline.evaluation.report import Report
from repo_tune_pipeline.evaluation.safe_text import markdown_code, one_line, visible
from repo_tune_pipeline.evaluation.sections import (
    cell_charts,
    cell_matrix,
    control_rows,
    cost_rows,
    language_rows,
)
from repo_tune_pipeline.evaluation.wording import signed

TASK_TITLES = {"all": "All tasks"}
_BEST_NOTE = (
    "Ranked by how much closer the completion comes to what stands in the file. Dimmed lines are "
    "beyond what was compared."
)
_WORST_NOTE = "The other end of the same ranking: read these before you promote."


def render_html(report: Report) -> str:
    """The whole page. Every text of a repository is escaped and stripped of control characters."""
    environment = Environment(
        loader=PackageLoader("repo_tune_pipeline.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update({"visible": visible, "line": one_line})
    style = (files("repo_tune_pipeline.evaluation") / "templates/report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        style_hash=Markup(f"sha256-{digest}"),
        headline=headline(report),
        decision=report.verdict.decision,
        reasons=report.verdict.reasons,
        variant=report.plan.variant,
        adapter_version=report.data["adapter"]["version"],
        base_model=base_name(report),
        tiles=list(_tiles(report)),
        charts=cell_charts(report),
        matrix=cell_matrix(report),
        controls=control_rows(report),
        languages=language_rows(report),
        costs=cost_rows(report),
        tables=[table for metric in METRICS if (table := _table(report, metric))["rows"]],
        groups=_groups(report),
        curve=loss_curve(report.curve),
        facts=fact_tables(report),
    )


def render_markdown(report: Report) -> str:
    """The verdict, the numbers and what they were made from."""
    lines = [
        f"# {headline(report)}",
        "",
        f"Adapter {markdown_code(report.plan.variant + '/' + report.data['adapter']['version'])} "
        f"against its base model {markdown_code(base_name(report))}.",
        "",
        f"**Verdict: {report.verdict.decision}.**",
        *report.verdict.reasons,
        "",
        *markdown_numbers(report),
    ]
    lines += ["", "## Compared with", "", *_markdown_pairs(report)]
    lines += ["", "## Controls", "", "| | |", "|---|---|"]
    lines += [f"| {row['name']} | {row['text']} |" for row in control_rows(report)]
    for table in fact_tables(report):
        lines += ["", f"## {table['title']}", "", "| | |", "|---|---|"]
        lines += [
            f"| {markdown_code(key)} | {markdown_code(value)} |" for key, value in table["rows"]
        ]
    return "\n".join(lines) + "\n"


def markdown_numbers(report: Report) -> list[str]:
    """The table of all metrics, as lines of Markdown."""
    rows = [(metric.title, row) for metric in METRICS for row in _table(report, metric)["rows"]]
    return [
        "| metric | task | examples | base | adapter | difference | 95 % interval |",
        "|---|---|--:|--:|--:|--:|--:|",
        *(
            f"| {title} | {row['task']} | {row['n']} | {row['base']} | {row['adapter']} "
            f"| {row['difference']} | {row['bounds']} |"
            for title, row in rows
        ),
    ]


def _markdown_pairs(report: Report) -> list[str]:
    lines = ["| metric | compared | difference | 95 % interval |", "|---|---|--:|--:|"]
    return [
        *lines,
        *(
            f"| {chart['title']} | {row['name']} | {row['difference']} | {row['bounds']} |"
            for chart in cell_charts(report)
            for row in chart["rows"]
        ),
    ]


def headline(report: Report) -> str:
    """The verdict as a team lead would say it."""
    if report.verdict.decision == "promote":
        return "The adapter knows this code better than its base model"
    difference = report.comparison.difference(ALL, "bits_per_byte")
    if difference is not None and difference.direction == "worse":
        return "The adapter is worse than its base model: keep the base"
    if difference is not None and difference.direction == "better":
        return "Better, but not to be promoted: keep what you have"
    return "Not proven: keep what you have"


def base_name(report: Report) -> str:
    """The base model as the user named it, without where it lies."""
    return str(report.data["adapter"]["base_model"])


def _table(report: Report, metric: Metric) -> dict[str, Any]:
    comparison = report.comparison
    tasks = [
        task
        for task in tasks_of(report.predictions)
        if comparison.value(BASE_PLAIN, task, metric.name) is not None
        or comparison.value(ADAPTER_PLAIN, task, metric.name) is not None
    ]
    if len(tasks) == 2:  # the whole and its only part are the same
        tasks.remove(ALL)
    found = [comparison.difference(task, metric.name) for task in tasks]
    reach = reach_of([one.interval for one in found if one is not None])
    rows: list[dict[str, Any]] = []
    for task in tasks:
        difference = comparison.difference(task, metric.name)
        row: dict[str, Any] = {
            "task": TASK_TITLES.get(task, task.replace("_", " ").capitalize()),
            "whole": task == ALL,
            "n": _counted(comparison, task, metric),
            "base": _shown(comparison.value(BASE_PLAIN, task, metric.name)),
            "adapter": _shown(comparison.value(ADAPTER_PLAIN, task, metric.name)),
            "difference": "",
            "bounds": "",
            "chart": None,
        }
        if difference is not None:
            interval = difference.interval
            row["difference"] = signed(interval.difference)
            row["bounds"] = f"{signed(interval.low)} to {signed(interval.high)}"
            row["direction"] = difference.direction
            row["chart"] = interval_chart(interval, reach, difference.direction)
        rows.append(row)
    left, right = ("better", "worse") if metric.better == "lower" else ("worse", "better")
    return {
        "title": metric.title,
        "unit": metric.unit,
        "better": metric.better,
        "left": left,
        "right": right,
        "rows": rows,
    }


def _counted(comparison: Comparison, task: str, metric: Metric) -> int:
    """On how many examples either was measured."""
    values = [comparison.cells[cell].get(task, {}) for cell in (BASE_PLAIN, ADAPTER_PLAIN)]
    return max(int(found[metric.name]["n"]) for found in values if metric.name in found)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _tiles(report: Report) -> Iterator[dict[str, str]]:
    comparison, counts = report.comparison, report.data["settings"]["counts"]
    before = comparison.value(BASE_PLAIN, ALL, "bits_per_byte") or 0.0
    difference = comparison.difference(ALL, "bits_per_byte")
    for cell in (BASE_PLAIN, ADAPTER_PLAIN, PLACEBO_PLAIN):
        value = comparison.value(cell, ALL, "bits_per_byte")
        if value is None:
            continue
        yield {
            "title": cell.title.capitalize(),
            "value": f"{value:.3f}",
            "note": "bits per byte, lower is better",
            "kind": "",
        }
    if difference is not None:
        share = 100 * difference.interval.difference / before
        proven = {"better": "better, clear of zero", "worse": "worse, clear of zero"}
        yield {
            "title": "Change",
            "value": f"{'−' if share < 0 else '+'}{abs(share):.1f} %",
            "note": proven.get(difference.direction, "can't be told from zero"),
            "kind": difference.direction,
        }
    yield {
        "title": "Compared on",
        "value": str(counts["scored"]),
        "note": f"held-out examples, {counts['files']} files",
        "kind": "",
    }


def _groups(report: Report) -> list[dict[str, Any]]:
    best, worst = best_and_worst(report.predictions)
    lost = any(gained_similarity(one) < 0 or gained_bits(one) < 0 for one in worst)
    titled = (
        ("Where the adapter gained most", _BEST_NOTE, best),
        ("Where it lost most" if lost else "Where it gained least", _WORST_NOTE, worst),
    )
    return [
        {"title": title, "note": note, "examples": [example_view(one) for one in some]}
        for title, note, some in titled
        if some
    ]

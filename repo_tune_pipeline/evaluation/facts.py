"""What an evaluation was made from, as tables of names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from repo_tune_pipeline.evaluation.report import Report

_SHORT = 200
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGEST_DIGITS = 16
"""Shown of a SHA-256; `report.json` has all of it. Commits are shown whole."""


def fact_tables(report: Report) -> list[dict[str, Any]]:
    """What was evaluated, on what and how: `{title, rows: [(name, value)]}` each."""
    dataset, settings = dict(report.data["dataset"]), dict(report.data["settings"])
    parts = (
        ("Held-out examples", settings.pop("counts")),
        ("Examples of the data set", dataset.pop("counts", {})),
        ("What the data set was made from", dataset.pop("funnel", {})),
        ("Data set", dataset),
        ("Adapter", report.data["adapter"]),
        ("Settings", settings),
    )
    return [{"title": title, "rows": rows} for title, value in parts if (rows := _rows(value))]


def _rows(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings flattened to `outer: inner` names; lists on one line."""
    rows: list[tuple[str, str]] = []
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            rows += _rows(cast("Mapping[str, Any]", inner), f"{name}: ")
        elif isinstance(inner, list):
            rows += _list_rows(name, cast("list[Any]", inner))
        else:
            rows.append((name, _text(inner)))
    return rows


def _list_rows(name: str, values: Sequence[Any]) -> list[tuple[str, str]]:
    if values and all(isinstance(one, Mapping) for one in values):
        return [
            (name, ", ".join(_text(part) for part in cast("Mapping[str, Any]", one).values()))
            for one in values
        ]
    return [(name, ", ".join(_text(one) for one in values) or "all")]


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    if _DIGEST.fullmatch(text):
        return f"{text[:_DIGEST_DIGITS]}…"
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"

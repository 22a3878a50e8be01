"""The report as data: what `report.json` holds and what both other forms are drawn from."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repo_tune_pipeline.artifacts import digest_file, digest_json, read_json
from repo_tune_pipeline.evaluation.comparison import Comparison, compare
from repo_tune_pipeline.evaluation.plan import EVALUATION_VERSION, EvaluationPlan, read_run
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.evaluation.verdict import Verdict, decide
from repo_tune_pipeline.prompting import PROMPT_VERSION
from repo_tune_pipeline.training import read_metrics

_LIBRARIES = ("torch", "transformers", "peft", "rapidfuzz", "numpy")
_DATASET_KEYS = ("repositories", "counts", "funnel", "digests", "tools")


@dataclass(frozen=True, slots=True)
class Report:
    """One evaluation, whole: `data` is `report.json`."""

    plan: EvaluationPlan
    verdict: Verdict
    comparison: Comparison
    predictions: tuple[Prediction, ...]
    curve: tuple[tuple[float, float], ...]
    data: dict[str, Any]


def build_report(
    plan: EvaluationPlan,
    selection: Selection,
    predictions: Sequence[Prediction],
    *,
    device: str,
    dtype: str,
) -> Report:
    """Compare, decide, and gather what is needed to repeat it. The same input, the same bytes."""
    comparison = compare(predictions, plan.settings)
    verdict = decide(predictions, comparison)
    data: dict[str, Any] = {
        "verdict": verdict.as_dict(),
        "cells": {cell: {"plain": values} for cell, values in comparison.cells.items()},
        "differences": [one.as_dict() for one in comparison.differences],
        "general": {},
        "memorisation": {},
        "parity": {},
        "dataset": _dataset(plan),
        "adapter": _adapter(plan),
        "settings": {
            **plan.settings.model_dump(mode="json"),
            "filter": plan.filter.model_dump(mode="json"),
            "counts": {**selection.counts(), "files": len({one.file for one in predictions})},
            "device": device,
            "dtype": dtype,
            "evaluation_version": EVALUATION_VERSION,
            "prompt_version": PROMPT_VERSION,
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
        },
    }
    curve = tuple(read_curve(plan.adapter / "metrics.jsonl"))
    return Report(plan, verdict, comparison, tuple(predictions), curve, data)


def read_curve(metrics: Path) -> list[tuple[float, float]]:
    """(step, loss) of each step of a training; empty where its metrics weren't kept."""
    return [(float(row["step"]), float(row["loss"])) for row in read_metrics(metrics)]


def _dataset(plan: EvaluationPlan) -> dict[str, Any]:
    manifest = read_json(plan.manifest)
    known = {key: manifest[key] for key in _DATASET_KEYS if key in manifest}
    return {"digest": digest_json(manifest), **known, "heldout_sha256": digest_file(plan.heldout)}


def _adapter(plan: EvaluationPlan) -> dict[str, Any]:
    return {
        **read_run(plan.adapter),
        "variant": plan.variant,
        "version": plan.adapter.name,
        "weights_sha256": plan.adapter_digest,
        "base_digest": plan.base_digest,
    }

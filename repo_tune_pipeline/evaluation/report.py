"""The report as data: what `report.json` holds and what both other forms are drawn from."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repo_tune_pipeline.artifacts import digest_file, digest_json, read_json
from repo_tune_pipeline.evaluation.bootstrap import Interval
from repo_tune_pipeline.evaluation.comparison import Comparison, compare
from repo_tune_pipeline.evaluation.plan import EVALUATION_VERSION, EvaluationPlan, read_run
from repo_tune_pipeline.evaluation.predicting import Predicted
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.evaluation.verdict import Controls, Verdict, decide
from repo_tune_pipeline.evaluation.wording import without_place
from repo_tune_pipeline.ingestion import public_source
from repo_tune_pipeline.prompting import PROMPT_VERSION
from repo_tune_pipeline.training import read_metrics

_LIBRARIES = ("torch", "transformers", "peft", "rapidfuzz", "sacrebleu", "rouge-score", "numpy")
_DATASET_KEYS = ("repositories", "counts", "funnel", "digests", "tools")


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured: `predicted` on the held-out examples, `recent` on the files that
    changed last, and the controls. `device` and `dtype` are the local models'; `retrieval` says
    how many examples were given passages; `gemini` what became of it.
    """

    selection: Selection
    predicted: Predicted
    recent: tuple[Prediction, ...]
    controls: Controls
    device: str
    dtype: str
    retrieval: Mapping[str, int] = field(default_factory=dict[str, int])
    gemini: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Report:
    """One evaluation, whole: `data` is `report.json`, `timings` is `timings.json`."""

    plan: EvaluationPlan
    verdict: Verdict
    comparison: Comparison
    recent: Comparison | None
    controls: Controls
    predictions: tuple[Prediction, ...]
    curve: tuple[tuple[float, float], ...]
    data: dict[str, Any]
    timings: dict[str, Any]


def build_report(plan: EvaluationPlan, measured: Measured) -> Report:
    """Compare, decide, and gather what is needed to repeat it.

    The same input gives the same `data`; only `timings` are of their moment.
    """
    settings, controls = plan.settings.evaluation, measured.controls
    predictions = measured.predicted.predictions
    comparison = compare(predictions, settings)
    recent = compare(measured.recent, settings) if measured.recent else None
    verdict = decide(predictions, comparison, plan.settings.promotion, controls)
    data: dict[str, Any] = {
        "verdict": verdict.as_dict(),
        "cells": comparison.by_model(),
        "differences": [one.as_dict() for one in comparison.differences],
        "languages": {name: _interval(one) for name, one in comparison.languages.items()},
        "recent": _recent(recent, measured),
        "general": dict(controls.general or {}),
        "memorisation": dict(controls.memorisation or {}),
        "leaks": controls.leaks.as_dict() if controls.leaks else {},
        "parity": dict(controls.parity or {}),
        "dataset": _dataset(plan),
        "adapter": _adapter(plan),
        "placebo": _run(plan.placebo) if plan.placebo else {},
        "gemini": dict(measured.gemini),
        "settings": {
            **settings.model_dump(mode="json"),
            "placebo": without_place(public_source(settings.placebo)),
            "promotion": plan.settings.promotion.model_dump(mode="json"),
            "passages": plan.settings.answering.passages,
            "filter": plan.filter.model_dump(mode="json"),
            "counts": {
                **measured.selection.counts(),
                "files": len({one.file for one in predictions}),
                "retrieval": dict(measured.retrieval),
            },
            "device": measured.device,
            "dtype": measured.dtype,
            "evaluation_version": EVALUATION_VERSION,
            "prompt_version": PROMPT_VERSION,
            "python": platform.python_version(),
            "libraries": {name: version(name) for name in _LIBRARIES},
        },
    }
    timings: dict[str, dict[str, Any]] = {}
    for cell, timing in measured.predicted.timings.items():
        timings.setdefault(cell.model, {})[cell.context] = asdict(timing)
    curve = tuple(read_curve(plan.adapter / "metrics.jsonl"))
    return Report(
        plan,
        verdict,
        comparison,
        recent,
        controls,
        tuple(predictions),
        curve,
        data,
        timings,
    )


def read_curve(metrics: Path) -> list[tuple[float, float]]:
    """(step, loss) of each step of a training; empty where its metrics weren't kept."""
    return [(float(row["step"]), float(row["loss"])) for row in read_metrics(metrics)]


def _recent(recent: Comparison | None, measured: Measured) -> dict[str, Any]:
    if recent is None:
        return {}
    return {
        "examples": len(measured.recent),
        "files": len({one.file for one in measured.recent}),
        "cells": recent.by_model(),
        "differences": [one.as_dict() for one in recent.differences],
    }


def _interval(interval: Interval) -> dict[str, float | int]:
    kept = ("difference", "low", "high", "n", "p")
    return {name: getattr(interval, name) for name in kept} | {"files": interval.clusters}


def _dataset(plan: EvaluationPlan) -> dict[str, Any]:
    manifest = read_json(plan.manifest)
    known = {key: manifest[key] for key in _DATASET_KEYS if key in manifest}
    heldout = digest_file(plan.dataset / "heldout.jsonl")
    return {"digest": digest_json(manifest), **known, "heldout_sha256": heldout}


def _adapter(plan: EvaluationPlan) -> dict[str, Any]:
    return {
        **_run(plan.adapter),
        "variant": plan.variant,
        "version": plan.adapter.name,
        "weights_sha256": plan.adapter_digest,
        "base_digest": plan.base_digest,
    }


def _run(adapter: Path) -> dict[str, Any]:
    """A version's run.json without where its base model lies: a report is read elsewhere, too."""
    run = read_run(adapter)
    kept = {name: value for name, value in run.items() if name != "base_path"}
    return {**kept, "base_model": without_place(str(run["base_model"]))}

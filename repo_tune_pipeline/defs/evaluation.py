"""`evaluation_report`: base and adapter side by side on the held-out files."""

import time
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline import evaluation
from repo_tune_pipeline.artifacts import Home, digest_file, point_latest, read_json
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.conditions import when_changed
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.partitions import DEVICE, variants
from repo_tune_pipeline.defs.placebo import newest_placebo, placebo_adapter
from repo_tune_pipeline.defs.retrieval import retrieval_index
from repo_tune_pipeline.defs.training import newest_adapter, newest_dataset, qlora_adapter
from repo_tune_pipeline.defs.workers import run_worker
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.evaluation import EvaluationPlan
from repo_tune_pipeline.registry import StageState, save_state

STAGE = "evaluate"
WORKER = "repo_tune_pipeline.evaluation.worker"


@dg.asset(
    partitions_def=variants,
    deps=[qlora_adapter, placebo_adapter, "sft_jsonl", retrieval_index],
    code_version=evaluation.EVALUATION_VERSION,
    group_name="repo_tune",
    kinds={"html"},
    pool=DEVICE,
    automation_condition=when_changed("qlora_adapter", "placebo_adapter"),
)
def evaluation_report(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> dg.MaterializeResult[Any]:
    """The newest adapter of one variant beside its base and a placebo, and a verdict."""
    started = time.monotonic()
    with readable_failures():
        home, variant = workspace.home, context.partition_key
        plan = evaluation_plan(workspace, variant)
        folder = evaluation.finished_evaluation(plan)
        if folder is None:
            reported = run_worker(context, WORKER, evaluation.prepare_evaluation(plan))
            folder = plan.folder
        else:
            context.log.info("This adapter was judged on this data: nothing to do.")
            reported = dg.MaterializeResult[Any]()
            point_latest(folder)
        result = evaluate_result(folder, context.run_id, started)
        digest = digest_file(folder / "report.json")
        save_state(home, STAGE, variant, StageState(plan.fingerprint, digest, result))
    return dg.MaterializeResult(
        metadata={**(reported.metadata or {}), **_metadata(folder)},
        data_version=dg.DataVersion(digest),
    )


def evaluation_plan(workspace: Workspace, variant: str) -> EvaluationPlan:
    """The plan for the newest adapter on the newest data set.

    Raises:
        EmptyInputError: there is no adapter, no data set or no search index yet.
    """
    home, settings = workspace.home, workspace.settings
    return evaluation.plan_evaluation(
        adapter=newest_adapter(home, variant),
        dataset=newest_dataset(home),
        variant=variant,
        filter=settings.variants[variant],
        settings=settings,
        home=home,
        placebo=newest_placebo(home, variant),
    )


def newest_report(home: Home, variant: str) -> dict[str, Any]:
    """The newest `report.json` of a variant."""
    return read_json(home.evaluations(variant) / "latest" / "report.json")


def evaluate_result(folder: Path, run_id: str, started: float) -> dict[str, object]:
    """What `repo-tune evaluate` prints of a report."""
    report = read_json(folder / "report.json")
    return {
        "report_html": str(folder / "report.html"),
        "report_json": str(folder / "report.json"),
        "verdict": report["verdict"],
        "cells": report["cells"],
        "run_id": run_id,
        "seconds": round(time.monotonic() - started, 3),
    }


def _metadata(folder: Path) -> presentation.Metadata:
    return {
        "report": dg.MetadataValue.md((folder / "report.md").read_text(encoding="utf-8")),
        "report_html": dg.MetadataValue.url((folder / "report.html").as_uri()),
        "folder": presentation.path(folder),
    }

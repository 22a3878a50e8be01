"""Blocking checks: nothing is trained on data, or promoted by a report, that fails them."""

import dagster as dg

from repo_tune_pipeline import sft
from repo_tune_pipeline.defs.evaluation import newest_report
from repo_tune_pipeline.defs.partitions import variants
from repo_tune_pipeline.defs.training import newest_dataset
from repo_tune_pipeline.defs.workspace import Workspace


@dg.asset_check(asset="sft_jsonl", blocking=True)
def sft_not_empty(workspace: Workspace) -> dg.AssetCheckResult:
    """Both sides of the data set hold examples."""
    folder = newest_dataset(workspace.home)
    train = len(sft.read_examples(folder / "sft.jsonl"))
    heldout = len(sft.read_examples(folder / "heldout.jsonl"))
    return dg.AssetCheckResult(
        passed=train > 0 and heldout > 0, metadata={"train": train, "heldout": heldout}
    )


@dg.asset_check(asset="evaluation_report", blocking=True, partitions_def=variants)
def promotable(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """The verdict is `promote`: on `hold` the champion stays as it is."""
    report = newest_report(workspace.home, context.partition_key)
    verdict = report["verdict"]
    return dg.AssetCheckResult(
        passed=verdict["decision"] == "promote",
        metadata={"reasons": dg.MetadataValue.md("\n\n".join(verdict["reasons"]))},
    )


@dg.asset_check(asset="sft_jsonl", blocking=True)
def no_leak_in_sft(workspace: Workspace) -> dg.AssetCheckResult:
    """No file, near copy or run of 50 tokens of code is on both sides, and no secret on any."""
    folder = newest_dataset(workspace.home)
    found = sft.audit(folder, near_duplicate=workspace.settings.sft.near_duplicate)
    shown = {
        name: {"count": finding.count, "first": [" ".join(place) for place in finding.first]}
        for name, finding in found.findings.items()
    }
    return dg.AssetCheckResult(
        passed=found.clean, metadata={"examples": found.examples, "found": shown}
    )

"""Blocking checks of the data set: nothing is trained on one that fails them."""

import dagster as dg

from repo_tune_pipeline import sft
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


@dg.asset_check(asset="sft_jsonl", blocking=True)
def no_file_on_both_sides(workspace: Workspace) -> dg.AssetCheckResult:
    """No file of any repository gives examples to both sides."""
    folder = newest_dataset(workspace.home)
    sides = [
        {(e.meta.repo, e.meta.path) for e in sft.read_examples(folder / name)}
        for name in ("sft.jsonl", "heldout.jsonl")
    ]
    shared = sorted(sides[0] & sides[1])
    return dg.AssetCheckResult(
        passed=not shared,
        metadata={
            "train_files": len(sides[0]),
            "heldout_files": len(sides[1]),
            "files_on_both_sides": [f"{repo} {path}" for repo, path in shared[:20]],
        },
    )

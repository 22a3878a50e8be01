"""When an asset is made by itself: its inputs changed in content, and nothing speaks against it.

Dagster's own `eager()` asks again where an input was made anew with the same data version, and goes
on in a later run where a blocking check had failed. These conditions do neither.
"""

from typing import Any

import dagster as dg

from repo_tune_pipeline import training
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import RepoTuneError

_When = dg.AutomationCondition[dg.AssetKey]


class WorthTraining(dg.AutomationCondition[dg.AssetKey]):
    """True for the variants whose data has changed enough, by the thresholds of `retraining`."""

    @property
    def name(self) -> str:
        return "worth_training"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        workspace, candidates = Workspace(), context.candidate_subset
        worth = {
            variant
            for variant in candidates.expensively_compute_partition_keys()
            if is_worth_training(workspace, variant)
        }
        return dg.AutomationResult(
            context, candidates.compute_intersection_with_partition_keys(worth)
        )


def is_worth_training(workspace: Workspace, variant: str) -> bool:
    """Whether the newest data set gives this variant enough that its adapter doesn't know."""
    home, settings = workspace.home, workspace.settings
    if variant not in settings.variants or not home.latest_dataset.is_dir():
        return False
    newest = home.adapters(variant) / "latest"
    adapter = newest.resolve() if newest.is_dir() else None
    try:
        found = training.judge_renewal(
            home.latest_dataset.resolve(),
            variant,
            settings.variants[variant],
            adapter,
            settings.retraining,
        )
    except RepoTuneError:
        return False
    return found.worth


def when_changed(*inputs: str) -> _When:
    """Once for each change in the content of one of these inputs.

    Not while one of any input is being made, nor after one of them failed a blocking check.
    """
    selected = dg.AssetSelection.assets(*inputs)
    changed = dg.AutomationCondition.any_deps_match(
        dg.AutomationCondition.data_version_changed()
    ).allow(selected)
    return _unhindered(changed.since_last_handled())


def when_worth_training(*inputs: str) -> _When:
    """The same for a training, and looked at daily: what isn't worth it today may be old enough
    tomorrow.
    """
    selected = dg.AssetSelection.assets(*inputs)
    changed = dg.AutomationCondition.any_deps_match(
        dg.AutomationCondition.data_version_changed()
    ).allow(selected)
    looked = changed | dg.AutomationCondition.cron_tick_passed("0 4 * * *")
    return _unhindered(looked.since_last_handled() & WorthTraining())


def _unhindered(trigger: dg.AutomationCondition[Any]) -> _When:
    condition = dg.AutomationCondition
    return (
        trigger
        & ~condition.any_deps_match(condition.will_be_requested())
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & condition.all_deps_blocking_checks_passed()
    )

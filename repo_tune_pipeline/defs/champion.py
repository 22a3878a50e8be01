"""`champion_adapter`: the version that answers, moved only by a verdict that says so."""

import dagster as dg

from repo_tune_pipeline import champions
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.conditions import when_changed
from repo_tune_pipeline.defs.evaluation import evaluation_report, newest_report
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.partitions import variants
from repo_tune_pipeline.defs.workspace import Workspace


@dg.asset(
    partitions_def=variants,
    deps=[evaluation_report],
    code_version=champions.CHAMPION_VERSION,
    group_name="repo_tune",
    automation_condition=when_changed("evaluation_report"),
)
def champion_adapter(context: dg.AssetExecutionContext, workspace: Workspace):
    """The newest version whose report said `promote`; on `hold` the one before stays."""
    with readable_failures():
        home, variant = workspace.home, context.partition_key
        champion = champions.consider(home, variant, newest_report(home, variant))
    if champion is None:
        context.log.info("No version was promoted yet.")
        return dg.MaterializeResult(
            metadata={"champion": "none yet"}, data_version=dg.DataVersion("none")
        )
    return dg.MaterializeResult(
        metadata={
            "champion": champion.version,
            "reasons": " ".join(champion.reasons),
            "folder": presentation.path(home.adapters(variant) / champion.version),
        },
        data_version=dg.DataVersion(champion.version),
    )

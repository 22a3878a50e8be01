"""The jobs: a stage each, and `refresh_job` for the whole chain."""

from collections.abc import Callable

import dagster as dg

from repo_tune_pipeline import pruning
from repo_tune_pipeline.defs import chain
from repo_tune_pipeline.defs.champion import champion_adapter
from repo_tune_pipeline.defs.chunking import code_chunks
from repo_tune_pipeline.defs.evaluation import evaluation_report
from repo_tune_pipeline.defs.ingestion import ingested_repo
from repo_tune_pipeline.defs.partitions import repos, variants
from repo_tune_pipeline.defs.placebo import placebo_adapter
from repo_tune_pipeline.defs.training import qlora_adapter
from repo_tune_pipeline.defs.workspace import Workspace

ingest_job = dg.define_asset_job(
    "ingest_job", selection=[ingested_repo, code_chunks], partitions_def=repos
)
generate_data_job = dg.define_asset_job(
    "generate_data_job", selection=["sft_jsonl", "sft_readable_json", "retrieval_index"]
)
fine_tune_job = dg.define_asset_job(
    "fine_tune_job", selection=[qlora_adapter], partitions_def=variants
)
evaluate_job = dg.define_asset_job(
    "evaluate_job",
    selection=[placebo_adapter, evaluation_report, champion_adapter],
    partitions_def=variants,
)


@dg.op
def prune_versions(context: dg.OpExecutionContext, workspace: Workspace) -> None:
    """Remove old versions; what a champion stands on stays."""
    done = pruning.prune(workspace.home, workspace.settings.retraining.keep_versions)
    context.log.info(f"Removed {len(done.folders)} folders with {done.size:,} bytes.")


@dg.job(name="prune_job")
def prune_job() -> None:
    """Old adapter versions go, with their reports and data sets."""
    prune_versions()


@dg.op
def refresh(context: dg.OpExecutionContext, workspace: Workspace) -> None:
    """Bring every stage up to date; a stage whose inputs are unchanged is left alone."""
    jobs = {name: context.repository_def.get_job(name) for name in chain.JOB_NAMES}
    session = chain.Session(context.instance, workspace, jobs, report=_to(context))
    chain.refresh(session)


def _to(context: dg.OpExecutionContext) -> Callable[[chain.Event], None]:
    def report(event: chain.Event) -> None:
        context.log.info(f"{event.stage} {event.status}: {event.text}")

    return report


@dg.job(name="refresh_job")
def refresh_job() -> None:
    """The whole chain over assets of different partitions, each stage as a run of its own."""
    refresh()

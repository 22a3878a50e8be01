"""Every asset, check, job and resource of the chain as one code location."""

import dagster as dg

from repo_tune_pipeline.defs import (
    automation,
    champion,
    checks,
    chunking,
    evaluation,
    ingestion,
    jobs,
    lost_runs,
    placebo,
    retrieval,
    sft,
    training,
)
from repo_tune_pipeline.defs.workspace import Workspace

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [ingestion, chunking, sft, retrieval, training, placebo, evaluation, champion]
    ),
    asset_checks=dg.load_asset_checks_from_modules([checks]),
    jobs=[
        jobs.ingest_job,
        jobs.generate_data_job,
        jobs.fine_tune_job,
        jobs.evaluate_job,
        jobs.refresh_job,
        jobs.prune_job,
    ],
    sensors=[lost_runs.lost_runs, automation.new_commits, automation.retraining],
    schedules=[automation.weekly_refresh, automation.daily_prune],
    resources={"workspace": Workspace()},
    # A process a step triples the time of the light stages; training has its own process anyway.
    executor=dg.in_process_executor,
)

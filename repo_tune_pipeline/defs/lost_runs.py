"""`lost_runs`: a run whose process died is told to have failed.

Dagster's default launcher has no health check: killed together with its code server, a run would
stay "started" until its time limit.
"""

import time
from collections.abc import Iterator

import dagster as dg

from repo_tune_pipeline import jobs
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs.workspace import Workspace

SECONDS = 30
SILENT_SECONDS = 120.0
"""After its start a run has so long to say that it lives: it imports the chain first."""
_GOING_ON = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@dg.sensor(
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends the record of runs whose process is gone.",
)
def lost_runs(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SkipReason:
    """Mark what died as failed: nobody waits for it, and it keeps no other job off."""
    ended = list(_end_lost(context.instance, workspace.home))
    return dg.SkipReason(f"Ended: {', '.join(ended)}." if ended else "Every started run lives.")


def _end_lost(instance: dg.DagsterInstance, home: Home) -> Iterator[str]:
    for record in instance.get_run_records(dg.RunsFilter(statuses=_GOING_ON)):
        run = record.dagster_run
        alive = jobs.is_alive(home, run.run_id)
        silent = time.time() - (record.start_time or time.time())
        if alive or (alive is None and silent < SILENT_SECONDS):
            continue
        instance.report_run_failed(
            run, "The process of this run is gone. What it finished is kept: run it again."
        )
        yield run.run_id

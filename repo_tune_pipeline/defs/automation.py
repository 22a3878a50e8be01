"""Retraining by itself: off until its sensors are switched on in Dagster's page."""

import time
from datetime import UTC, datetime

import dagster as dg

from repo_tune_pipeline import ingestion
from repo_tune_pipeline.defs import ingestion as ingest_assets
from repo_tune_pipeline.defs.failures import UNATTENDED
from repo_tune_pipeline.defs.jobs import ingest_job, prune_job, refresh_job
from repo_tune_pipeline.defs.partitions import REPOS
from repo_tune_pipeline.defs.workspace import Workspace, config_file
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.registry import Registered, known_repositories, load_state
from repo_tune_pipeline.settings import load_settings

_settings = load_settings(config_file()).retraining
_PARTITION = "dagster/partition"

INPUTS = "repo_tune/inputs"
"""The tag of a run with the fingerprint of what it was to read."""
AGAIN_SECONDS = 3600
"""So long what wasn't read is left alone, unless there is something else to read by then."""
_UNDER_WAY = [
    # Not NOT_STARTED: a process that died right then would keep its repository off for ever.
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    job=ingest_job,
    minimum_interval_seconds=_settings.poll_seconds,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Reads a repository again when its branch has a new commit; asks git ls-remote.",
)
def new_commits(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SensorResult:
    """One run for each repository whose newest commit isn't what was read last.

    The requests have no run key: Dagster starts nothing for a key that any run ever had, so that a
    commit whose reading failed, or that its branch was set back to, would never be read.
    """
    requests: list[dg.RunRequest] = []
    told: list[str] = []
    configured = ingest_assets.configured(workspace.settings)
    for entry in known_repositories(workspace.home, configured):
        try:
            commit = ingestion.head_commit(
                entry.source, ref=entry.ref, settings=workspace.settings.ingestion
            )
        except RepoTuneError as error:
            context.log.warning(f"{entry.name}: {error.problem}")
            told.append(f"{entry.name} can't be reached")
            continue
        inputs = ingest_assets.ingest_fingerprint(entry, commit, workspace.settings)
        if _is_read(workspace, entry, inputs):
            continue
        if reason := _left_alone(context.instance, entry.name, inputs):
            told.append(f"{entry.name} at {commit[:12]} {reason}")
            continue
        requests.append(_request(entry, inputs))
    names = [str(request.partition_key) for request in requests]
    known = set(context.instance.get_dynamic_partitions(REPOS))
    new = [name for name in names if name not in known]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(REPOS, new)] if new else [],
        skip_reason=None if requests else f"Nothing to read. {'; '.join(told)}".strip(),
    )


retraining = dg.AutomationConditionSensorDefinition(
    "retraining",
    target=dg.AssetSelection.assets(
        "sft_jsonl",
        "sft_readable_json",
        "retrieval_index",
        "qlora_adapter",
        "placebo_adapter",
        "evaluation_report",
        "champion_adapter",
    ),
    minimum_interval_seconds=min(30, _settings.poll_seconds),
    run_tags=UNATTENDED,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="From changed chunks to a champion, where the change is worth a training.",
    # The threshold is this package's own code.
    use_user_code_server=True,
)

weekly_refresh = dg.ScheduleDefinition(
    name="weekly_refresh",
    job=refresh_job,
    cron_schedule=_settings.schedule,
    tags=UNATTENDED,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The whole chain, whatever changed.",
)

daily_prune = dg.ScheduleDefinition(
    name="daily_prune",
    job=prune_job,
    cron_schedule="0 2 * * *",
    tags=UNATTENDED,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Removes old versions, never a champion's.",
)


def _is_read(workspace: Workspace, entry: Registered, inputs: str) -> bool:
    state = load_state(workspace.home, ingest_assets.STAGE, entry.name)
    return state is not None and state.fingerprint == inputs


def _left_alone(instance: dg.DagsterInstance, name: str, inputs: str) -> str:
    """Why no run is asked for now; empty if one is."""
    of_it = {_PARTITION: name}
    if instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY, tags=of_it), limit=1):
        return "waits: the repository is being read"
    for newest in instance.get_run_records(dg.RunsFilter(tags=of_it), limit=1):
        ended = newest.end_time or newest.create_timestamp.timestamp()
        again = ended + AGAIN_SECONDS
        if newest.dagster_run.tags.get(INPUTS) == inputs and time.time() < again:
            at = datetime.fromtimestamp(again, UTC)
            return f"wasn't read; it is tried again from {at:%H:%M} UTC"
    return ""


def _request(entry: Registered, inputs: str) -> dg.RunRequest:
    return dg.RunRequest(
        partition_key=entry.name,
        run_config={
            "ops": {"ingested_repo": {"config": {"source": entry.source, "ref": entry.ref}}}
        },
        tags={**UNATTENDED, INPUTS: inputs},
    )

"""Retraining by itself: off until its sensors are switched on in Dagster's page."""

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


@dg.sensor(
    job=ingest_job,
    minimum_interval_seconds=_settings.poll_seconds,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Reads a repository again when its branch has a new commit; asks git ls-remote.",
)
def new_commits(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SensorResult:
    """One run a new commit."""
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
        if _is_read(workspace, entry, commit):
            continue
        told.append(f"{entry.name} at {commit[:12]}")
        config = {"ops": {"ingested_repo": {"config": {"source": entry.source, "ref": entry.ref}}}}
        requests.append(
            dg.RunRequest(
                run_key=f"{entry.name}@{commit}",
                partition_key=entry.name,
                run_config=config,
                tags=UNATTENDED,
            )
        )
    names = [str(request.partition_key) for request in requests]
    known = set(context.instance.get_dynamic_partitions(REPOS))
    new = [name for name in names if name not in known]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[dg.AddDynamicPartitionsRequest(REPOS, new)] if new else [],
        skip_reason=None if requests else f"No new commit. {'; '.join(told)}".strip(),
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


def _is_read(workspace: Workspace, entry: Registered, commit: str) -> bool:
    state = load_state(workspace.home, ingest_assets.STAGE, entry.name)
    current = ingest_assets.ingest_fingerprint(entry, commit, workspace.settings)
    return state is not None and state.fingerprint == current

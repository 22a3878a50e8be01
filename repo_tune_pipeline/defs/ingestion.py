"""`ingested_repo`: every file of one repository at one commit, kept or dropped with a reason."""

import time
from typing import Any

import dagster as dg

from repo_tune_pipeline import ingestion
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.failures import readable_failures, tried_again
from repo_tune_pipeline.defs.partitions import repos
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.records import Snapshot
from repo_tune_pipeline.registry import (
    Registered,
    StageState,
    fingerprint,
    register,
    registered,
    save_state,
)
from repo_tune_pipeline.settings import Settings

STAGE = "ingest"


class IngestConfig(dg.Config):
    """Where a repository that isn't known yet is read from; empty means: as last time."""

    source: str = ""
    ref: str = ""


@dg.asset(
    partitions_def=repos,
    code_version=ingestion.INGESTION_VERSION,
    group_name="repo_tune",
    kinds={"git"},
)
def ingested_repo(
    context: dg.AssetExecutionContext, config: IngestConfig, workspace: Workspace
) -> dg.MaterializeResult[Any]:
    """Every file of one repository at one commit, kept or dropped with a reason."""
    started = time.monotonic()
    with readable_failures(), tried_again(context):
        home, settings = workspace.home, workspace.settings
        entry = _entry(home, settings, context.partition_key, config)
        snapshot = ingestion.ingest(
            credentials.get(entry.name, entry.source),
            ref=entry.ref,
            name=entry.name,
            settings=settings.ingestion,
            mirrors=home.mirrors,
            memory=home.repo(entry.name) / "examined.db",
        )
        digest = ingestion.save_snapshot(home.snapshot(entry.name), snapshot)
        register(home, entry)
        counted = ingestion.funnel(snapshot)
        result: dict[str, object] = {
            "repo": entry.name,
            "commit": snapshot.commit,
            "files": counted.as_dict(),
            "notice": snapshot.notice,
            "run_id": context.run_id,
            "seconds": round(time.monotonic() - started, 3),
        }
        print_of_inputs = ingest_fingerprint(entry, snapshot.commit, settings)
        save_state(home, STAGE, entry.name, StageState(print_of_inputs, digest, result))
    if snapshot.notice:
        context.log.warning(snapshot.notice)
    return dg.MaterializeResult(
        metadata=_metadata(home, snapshot), data_version=dg.DataVersion(digest)
    )


credentials: dict[str, str] = {}
"""Sources that carry a token, by repository; only ever in this process's memory."""


def ingest_fingerprint(entry: Registered, commit: str, settings: Settings) -> str:
    """What an ingestion depends on."""
    return fingerprint(
        entry.name, commit, ingestion.INGESTION_VERSION, settings.ingestion.model_dump(mode="json")
    )


def configured(settings: Settings) -> list[Registered]:
    """The repositories that the configuration names."""
    return [
        Registered(ingestion.repo_name(entry.source, entry.name), entry.source, entry.ref)
        for entry in settings.repositories
    ]


def _entry(home: Home, settings: Settings, name: str, config: IngestConfig) -> Registered:
    if config.source:
        return Registered(name, config.source, config.ref)
    for entry in configured(settings):
        if entry.name == name:
            return entry
    return registered(home, name)


def _metadata(home: Home, snapshot: Snapshot) -> presentation.Metadata:
    counted = ingestion.funnel(snapshot)
    languages: dict[str, int] = {}
    for file in snapshot.files:
        languages[file.language] = languages.get(file.language, 0) + 1
    kept = [(file.path, file.language, file.size, file.license) for file in snapshot.files[:10]]
    dropped = [(e.path, e.reason, e.size) for e in snapshot.ledger if not e.kept][:10]
    return {
        "source": snapshot.source,
        "commit": snapshot.commit,
        "files_kept": counted.kept,
        "files_seen": counted.seen,
        "funnel": presentation.funnel(counted),
        "languages": presentation.counts("language", languages),
        "first_files": presentation.table(("path", "language", "bytes", "licence"), kept),
        "first_dropped": presentation.table(("path", "reason", "bytes"), dropped),
        "notice": snapshot.notice or "none",
        "folder": presentation.path(home.snapshot(snapshot.repo)),
    }

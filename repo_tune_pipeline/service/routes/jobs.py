"""Jobs: started, listed, watched, followed and ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Header, Query
from fastapi import Path as PathParameter
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException

from repo_tune_pipeline import jobs as records
from repo_tune_pipeline.service import wire
from repo_tune_pipeline.service.jobs import Job
from repo_tune_pipeline.service.places import without_places
from repo_tune_pipeline.service.problems import documented
from repo_tune_pipeline.service.sources import allowed_source
from repo_tune_pipeline.service.state import Service, TheService

router = APIRouter(tags=["jobs"], responses=documented(422, 503))

_LONGEST_LOG = 2**53
"""Bytes; beyond it not every program's integers are exact."""
JobId = Annotated[str, PathParameter(pattern=wire.JOB_ID_PATTERN, examples=[wire.JOB_ID])]
LastEventId = Annotated[
    int,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=_LONGEST_LOG,
        description="The `id` of the last event that was read; browsers send it by themselves.",
    ),
]
_LOG_SECONDS = 0.5
_EVENTS: dict[str, Any] = {
    "content": {"text/event-stream": {"schema": {}}},
    "description": "Server-sent events: `log`, then `end`.",
}
_LOG_PART = 64 * 1024


@router.post(
    "/ingest",
    status_code=202,
    responses=documented(400, 403, 404, 409, 413),
    summary="Read a repository",
)
async def ingest(body: wire.IngestBody, service: TheService) -> wire.Started:
    """Add a repository, or read a known one again. Only hosts and folders that the configuration
    names are taken.
    """
    entry = await to_thread.run_sync(
        lambda: allowed_source(
            body.source, body.ref, body.name, settings=service.settings, home=service.home
        )
    )
    return _started(await service.jobs.ingest(entry))


@router.post(
    "/fine-tune/generate-data",
    status_code=202,
    responses=documented(409),
    summary="Make the data set and the search index",
)
async def generate_data(service: TheService) -> wire.Started:
    """From all ingested repositories."""
    return _started(await service.jobs.generate_data())


@router.post(
    "/fine-tune/start",
    status_code=202,
    responses=documented(400, 404, 409, 413),
    summary="Train an adapter",
)
async def fine_tune(
    service: TheService, body: Annotated[wire.FineTuneBody | None, Body()] = None
) -> wire.Started:
    """One version of a variant, by the configuration's recipe."""
    wanted = body or wire.FineTuneBody()
    _require_variant(service, wanted.variant)
    changes = wanted.model_dump(exclude={"variant"}, exclude_defaults=True)
    return _started(await service.jobs.fine_tune(wanted.variant, changes))


@router.post(
    "/evaluate",
    status_code=202,
    responses=documented(400, 404, 409, 413),
    summary="Judge the newest adapter",
)
async def evaluate(
    service: TheService, body: Annotated[wire.EvaluateBody | None, Body()] = None
) -> wire.Started:
    """Beside its base model; on a verdict of `promote` it becomes the champion."""
    wanted = body or wire.EvaluateBody()
    _require_variant(service, wanted.variant)
    return _started(await service.jobs.evaluate(wanted.variant, placebo=wanted.placebo))


@router.post("/refresh", status_code=202, responses=documented(409), summary="Run the whole chain")
async def refresh(service: TheService) -> wire.Started:
    """Every stage whose inputs changed, for all known repositories and variants."""
    return _started(await service.jobs.refresh())


@router.get(
    "/ingest/status/{job_id}", responses=documented(404), summary="How far a job of any kind is"
)
async def status(job_id: JobId, service: TheService) -> wire.JobStatus:
    """Read from Dagster's records: true after a restart, too."""
    return _told(await _found(service, job_id))


@router.get("/jobs", summary="Jobs, the newest first")
async def listed(
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
    before: Annotated[str | None, Query(pattern=wire.JOB_ID_PATTERN)] = None,
) -> wire.JobPage:
    """A page of at most `limit`, older than the job `before`."""
    most = min(limit, service.settings.service.max_jobs_shown)
    found = await service.jobs.newest(most, before or "")
    last = found[-1].job_id if len(found) == most else None
    return wire.JobPage(jobs=[_told(job) for job in found], next=last)


@router.post(
    "/jobs/{job_id}/cancel", status_code=202, responses=documented(404, 409), summary="End a job"
)
async def cancel(job_id: JobId, service: TheService) -> wire.Started:
    """What it finished is kept. A job that has ended stays as it is. A stage of a refresh ends
    the refresh, too.
    """
    await _found(service, job_id)
    await service.jobs.cancel(job_id)
    return _started(job_id)


@router.get(
    "/jobs/{job_id}/log",
    response_class=EventSourceResponse,
    responses={**documented(404), 200: _EVENTS},
    summary="Follow a training's log",
)
async def log(
    job_id: JobId, service: TheService, last_event_id: LastEventId = 0
) -> EventSourceResponse:
    """Events `log`, each a part of training.log, until `end` with the job's status. A reader that
    comes back goes on after the event that it names.
    """
    await _found(service, job_id)
    return EventSourceResponse(_log(service, job_id, last_event_id))


@router.get("/jobs/{job_id}/metrics", responses=documented(404), summary="A training's loss curve")
async def metrics(job_id: JobId, service: TheService) -> wire.JobMetrics:
    """One row a step; none for a job that trains nothing."""
    await _found(service, job_id)
    rows = await to_thread.run_sync(service.jobs.metrics, job_id)
    return wire.JobMetrics(
        steps=[wire.StepMetrics.model_validate(row, extra="ignore") for row in rows]
    )


async def _log(service: Service, job_id: str, at: int) -> AsyncGenerator[ServerSentEvent]:
    while True:
        job = await service.jobs.find(job_id)
        file = _log_file(service, job_id)
        while part := await to_thread.run_sync(_read, file, at):
            at += len(part)
            text = without_places(part.decode("utf-8", "replace"), service.home)
            yield ServerSentEvent(text, event="log", id=str(at))
        if job is None or job.status not in ("queued", "running"):
            yield ServerSentEvent(job.status if job else "failed", event="end")
            return
        await asyncio.sleep(_LOG_SECONDS)


def _log_file(service: Service, job_id: str) -> Path | None:
    training = records.noted_training(service.home, job_id)
    return training.folder / "training.log" if training else None


def _read(file: Path | None, at: int) -> bytes:
    """Whole lines from `at` on."""
    if file is None:
        return b""
    try:
        with file.open("rb") as stream:
            stream.seek(at)
            part = stream.read(_LOG_PART)
    except OSError:
        return b""
    whole = part.rpartition(b"\n")
    return part if len(part) == _LOG_PART and not whole[1] else whole[0] + whole[1]


async def _found(service: Service, job_id: str) -> Job:
    job = await service.jobs.find(job_id)
    if job is None:
        raise HTTPException(404, "There is no job of that id.")
    return job


def _require_variant(service: Service, variant: str) -> None:
    if variant not in service.settings.variants:
        known = ", ".join(sorted(service.settings.variants))
        raise HTTPException(404, f"No variant is called {variant}; the configuration has {known}.")


def _started(job_id: str) -> wire.Started:
    return wire.Started(job_id=job_id, status_url=f"/ingest/status/{job_id}")


def _told(job: Job) -> wire.JobStatus:
    return wire.JobStatus.model_validate(asdict(job))

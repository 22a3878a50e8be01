"""Jobs over HTTP: runs of the chain's Dagster jobs, started, watched and ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from repo_tune_pipeline import jobs
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.registry import Registered
from repo_tune_pipeline.service.dagster import Dagster, Run
from repo_tune_pipeline.service.places import without_places
from repo_tune_pipeline.service.problems import JobConflictError
from repo_tune_pipeline.training import read_metrics, read_progress

Kind = Literal["ingest", "generate-data", "fine-tune", "evaluate", "refresh"]
Status = Literal["queued", "running", "succeeded", "failed", "canceled"]

JOBS: dict[Kind, str] = {
    "ingest": "ingest_job",
    "generate-data": "generate_data_job",
    "fine-tune": "fine_tune_job",
    "evaluate": "evaluate_job",
    "refresh": "refresh_job",
}
_KINDS: dict[str, Kind] = {job: kind for kind, job in JOBS.items()}
_log = logging.getLogger(__name__)
_ASSET_JOB = "__ASSET_JOB"
"""What Dagster calls a run of assets that were picked by hand, or by themselves."""
_KIND_OF_ASSET: dict[str, Kind] = {
    "ingested_repo": "ingest",
    "code_chunks": "ingest",
    "sft_jsonl": "generate-data",
    "sft_readable_json": "generate-data",
    "retrieval_index": "generate-data",
    "qlora_adapter": "fine-tune",
    "placebo_adapter": "evaluate",
    "evaluation_report": "evaluate",
    "champion_adapter": "evaluate",
}
_STEP_OF_ASSET = {"sft_jsonl": "sft_dataset", "sft_readable_json": "sft_dataset"}
_STEPS: dict[Kind, tuple[str, ...]] = {
    "ingest": ("ingested_repo", "code_chunks"),
    "generate-data": ("sft_dataset", "retrieval_index"),
    "fine-tune": ("qlora_adapter",),
    "evaluate": ("placebo_adapter", "evaluation_report", "champion_adapter"),
    "refresh": ("refresh",),
}
_STATUSES: dict[str, Status] = {
    "NOT_STARTED": "queued",
    "QUEUED": "queued",
    "STARTING": "queued",
    "MANAGED": "queued",
    "STARTED": "running",
    "CANCELING": "running",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "canceled",
}
_GOING_ON = [name for name, status in _STATUSES.items() if status in ("queued", "running")]
_PARTITION = "dagster/partition"
_FEWEST_RUNS = 20
"""A request for fewer would cost as much."""
_GONE = "The job's process is gone. What it finished is kept: start it again."


@dataclass(frozen=True, slots=True)
class Job:
    """A run as callers see it; `to_json` is the answer of `GET /ingest/status/{job_id}`."""

    job_id: str
    kind: Kind
    about: str
    status: Status
    stage: str
    progress: float
    training: Mapping[str, Any] | None
    started_at: float | None
    ended_at: float | None
    error: str | None
    outputs: Mapping[str, Any]


class Jobs:
    """The jobs of one home, by way of one Dagster webserver."""

    def __init__(self, dagster: Dagster, home: Home) -> None:
        self._dagster = dagster
        self._home = home
        self._starting = asyncio.Lock()

    async def ingest(self, entry: Registered) -> str:
        """Start reading a repository; its id.

        Raises:
            JobConflictError: it is being read already.
            DagsterError: Dagster doesn't answer, or refuses.
        """
        config = {"ops": {"ingested_repo": {"config": {"source": entry.source, "ref": entry.ref}}}}
        await self._dagster.add_partition("repos", entry.name)
        return await self._start("ingest", entry.name, config)

    async def generate_data(self) -> str:
        """Start making the data set and the search index; the job's id. Raises as `ingest`."""
        return await self._start("generate-data", "", {})

    async def fine_tune(self, variant: str, changes: Mapping[str, object]) -> str:
        """Start training a variant; the job's id. Raises as `ingest`.

        Args:
            variant: one that the configuration names.
            changes: of the configuration's `training`, for this run.
        """
        config = {"ops": {"qlora_adapter": {"config": dict(changes)}}} if changes else {}
        return await self._start("fine-tune", variant, config)

    async def evaluate(self, variant: str, *, placebo: bool) -> str:
        """Start judging a variant's newest adapter; the job's id. Raises as `ingest`."""
        config = {"ops": {"placebo_adapter": {"config": {"enabled": placebo}}}}
        return await self._start("evaluate", variant, config)

    async def refresh(self) -> str:
        """Start the whole chain; the job's id. Raises as `ingest`."""
        return await self._start("refresh", "", {})

    async def find(self, job_id: str) -> Job | None:
        """A job as it is now; None where there is none of that id.

        Raises:
            DagsterError: Dagster doesn't answer.
        """
        run = await self._dagster.run(job_id)
        if run is None or _kind(run) is None:
            return None
        job = self._job(run)
        if job.status == "failed" and not job.error:
            why = await self._dagster.failure(job_id) or _GONE
            return _with_error(job, without_places(why, self._home))
        return job

    async def newest(self, limit: int, before: str = "") -> list[Job]:
        """Jobs, the newest first; those older than `before`, a job's id, where one is given.

        Raises:
            DagsterError: Dagster doesn't answer.
        """
        found: list[Job] = []
        more = True
        while more and len(found) < limit:
            runs = await self._dagster.runs(limit=max(limit, _FEWEST_RUNS), before=before)
            # Between jobs lie runs that are none, such as those that prune.
            found += [self._job(run) for run in runs if _kind(run)]
            more = len(runs) == max(limit, _FEWEST_RUNS)
            before = str(runs[-1]["runId"]) if runs else before
        return found[:limit]

    async def going_on(self) -> list[Job]:
        """Jobs that are queued or running. Raises as `newest`."""
        runs = await self._dagster.all_runs(_GOING_ON)
        found = [self._job(run) for run in runs if _kind(run)]
        return [job for job in found if job.status in ("queued", "running")]

    async def cancel(self, job_id: str) -> None:
        """End a job that goes on, and those that share its process: a refresh and its stage.

        One that has ended stays as it is.

        Raises:
            JobConflictError: it can't be ended from here.
            DagsterError: Dagster doesn't answer.
        """
        if jobs.is_alive(self._home, job_id) is False:
            await self._dagster.terminate(job_id, at_once=True)
            return
        runs = await self._in_one_process(job_id)
        # Dagster marks what it can't end as canceled, too: it is told only of what will end.
        launched = any(run["repositoryOrigin"] for run in runs)
        if not runs or not (launched or jobs.process_of(self._home, job_id)):
            await self._require_end(job_id)
            return
        ended = [await self._end(run) for run in runs]
        if not any(ended) and not jobs.interrupt(self._home, job_id):
            await self._require_end(job_id)

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """The rows of the training's metrics so far; none for a job that trains nothing."""
        training = jobs.noted_training(self._home, job_id)
        if training is None:
            return []
        file = training.folder / "metrics.jsonl"
        return read_metrics(file if file.is_file() else training.work_dir / "out/metrics.jsonl")

    async def _start(self, kind: Kind, about: str, config: Mapping[str, object]) -> str:
        # Between the question and the start nobody else may start the same.
        async with self._starting:
            for job in await self.going_on():
                if (job.kind, job.about) != (kind, about):
                    continue
                on = f" of {about}" if about else ""
                raise JobConflictError(f"A {kind} job{on} is {job.status}.", job.job_id)
            tags = {_PARTITION: about} if about else {}
            job_id = await self._dagster.launch(JOBS[kind], config, tags)
        told = {"job_id": job_id, "kind": kind, "about": about}
        _log.info("job started", extra={"told": told})
        return job_id

    async def _in_one_process(self, job_id: str) -> list[Run]:
        """The run, if it goes on, and those of the same process; the newest first."""
        process = jobs.holder(self._home, job_id)
        return [
            run
            for run in await self._dagster.all_runs(_GOING_ON)
            if run["runId"] == job_id
            or (process and jobs.holder(self._home, run["runId"]) == process)
        ]

    async def _end(self, run: Run) -> bool:
        """Whether Dagster ends the run's process, now or because it was asked before."""
        if run["repositoryOrigin"] and run["status"] == "CANCELING":
            return True
        # Marked as ended while its process is being started, it won't begin.
        return await self._dagster.terminate(run["runId"], at_once=run["status"] == "STARTING")

    async def _require_end(self, job_id: str) -> None:
        run = await self._dagster.run(job_id)
        if run is not None and run["status"] in _GOING_ON:
            raise JobConflictError(
                "This job can't be ended from here: its process is just starting or ending, or "
                "belongs to another machine or user.",
                job_id,
                "Try again in a moment, or end it with Ctrl-C where it was started.",
            )

    def _job(self, run: Run) -> Job:
        job_id, kind = str(run["runId"]), cast("Kind", _kind(run))
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}
        status, error = _STATUSES[run["status"]], None
        made = jobs.results(self._home, job_id)
        if status == "running" and jobs.is_alive(self._home, job_id) is False:
            # A run whose process died keeps its record until Dagster's daemon has seen it.
            status, error = "failed", _GONE
        if kind == "evaluate" and status == "failed" and _is_hold(made):
            # A verdict of `hold` ends the run at a blocking check, and is a verdict all the same.
            status, error = "succeeded", None
        steps = cast("list[dict[str, Any]]", run["stepStats"])
        training = self._training(job_id) if status == "running" else None
        return Job(
            job_id=job_id,
            kind=kind,
            about=tags.get(_PARTITION, ""),
            status=status,
            stage=_stage(_steps(run, kind), status, steps),
            progress=_progress(_steps(run, kind), status, steps, training),
            training=training,
            started_at=run["startTime"],
            ended_at=run["endTime"],
            error=error,
            outputs=without_places(made, self._home),
        )

    def _training(self, job_id: str) -> dict[str, Any] | None:
        noted = jobs.noted_training(self._home, job_id)
        now = read_progress(noted.work_dir) if noted is not None else None
        if now is None:
            return None
        return {
            "step": now.step,
            "max_steps": now.max_steps,
            "loss": now.loss,
            "tokens_per_second": now.tokens_per_second,
            "eta_seconds": now.eta_seconds,
        }


def _is_hold(made: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the evaluation came to the verdict that no champion is to move."""
    verdict = made.get("evaluate", {}).get("verdict", {})
    return verdict.get("decision") == "hold"


def _with_error(job: Job, error: str) -> Job:
    return replace(job, error=error)


def _kind(run: Run) -> Kind | None:
    """None for a run that has nothing to do with the chain."""
    if run["jobName"] != _ASSET_JOB:
        return _KINDS.get(run["jobName"])
    kinds: list[Kind] = [_KIND_OF_ASSET[asset] for asset in _assets(run)]
    return kinds[0] if kinds else None


def _steps(run: Run, kind: Kind) -> tuple[str, ...]:
    """The steps that a run goes through, in their order."""
    if run["jobName"] != _ASSET_JOB:
        return _STEPS[kind]
    return tuple(dict.fromkeys(_STEP_OF_ASSET.get(asset, asset) for asset in _assets(run)))


def _assets(run: Run) -> list[str]:
    """Those that were picked, in the chain's order."""
    picked = {str(one["path"][-1]) for one in run.get("assetSelection") or []}
    return [asset for asset in _KIND_OF_ASSET if asset in picked]


def _stage(order: tuple[str, ...], status: Status, steps: Sequence[Mapping[str, Any]]) -> str:
    if status == "queued" or not steps:
        return ""
    known = [step for step in steps if step["stepKey"] in order]
    last = max(known, key=lambda step: order.index(step["stepKey"]), default=None)
    return str(last["stepKey"]) if last else ""


def _progress(
    order: tuple[str, ...],
    status: Status,
    steps: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any] | None,
) -> float:
    """Of all steps, the one under way counted by how far its training is."""
    if status == "succeeded":
        return 1.0
    done = sum(step["status"] == "SUCCESS" for step in steps)
    part = training["step"] / max(1, training["max_steps"]) if training else 0.0
    return round(min((done + part) / max(1, len(order)), 1.0), 4)

"""The web page: rendered here, made lively by one small script of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from repo_tune_pipeline import ingestion
from repo_tune_pipeline.answering import MODEL_KINDS, ModelKind
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.service import wire
from repo_tune_pipeline.service.askable import Wanted
from repo_tune_pipeline.service.jobs import Job
from repo_tune_pipeline.service.places import without_places
from repo_tune_pipeline.service.routes.jobs import JobId
from repo_tune_pipeline.service.routes.overview import models_info, repos
from repo_tune_pipeline.service.state import Service, TheService

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

FOLDER = Path(__file__).parents[1] / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_pages = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@router.get("/")
async def ask(
    service: TheService,
    q: Annotated[str, Query(max_length=4_000)] = "",
    model: Annotated[list[str] | None, Query()] = None,
    repo: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Ask; with `q` in the address, for those without scripts, the answers too."""
    info = await to_thread.run_sync(models_info, service)
    chosen = model or [info.default]
    answers = [await _answer(service, one, q, repo) for one in chosen if q.strip()]
    return _page(
        "ask.html.j2",
        "/",
        q=q,
        repo=repo,
        models=info.models,
        chosen=chosen,
        repos=service.home.repo_names(),
        answers=answers,
    )


@router.get("/ui/repos")
def repositories(service: TheService) -> HTMLResponse:
    """What became of each repository's files."""
    allowed = service.settings.service
    found = repos(service).repos
    return _page(
        "repos.html.j2", "/ui/repos", repos=found, hosts=allowed.hosts, folders=len(allowed.folders)
    )


@router.get("/ui/jobs")
async def jobs(
    service: TheService,
    before: Annotated[str | None, Query(pattern=wire.JOB_ID_PATTERN)] = None,
) -> HTMLResponse:
    """The newest jobs."""
    most = 20
    found: list[Job] = []
    problem = ""
    try:
        found = await service.jobs.newest(most, before or "")
    except RepoTuneError as error:
        problem = without_places(str(error), service.home)
    shown = [_shown(job) for job in found]
    next = found[-1].job_id if len(found) == most else ""
    return _page("jobs.html.j2", "/ui/jobs", jobs=shown, problem=problem, next=next)


@router.get("/ui/jobs/{job_id}")
async def job(job_id: JobId, service: TheService) -> HTMLResponse:
    """One job, followed while it goes on."""
    try:
        found = await service.jobs.find(job_id)
    except RepoTuneError as error:
        return _problem(503, "Dagster doesn't answer", without_places(str(error), service.home))
    if found is None:
        return _problem(404, "No such job", "There is no job of that id.")
    outputs = json.dumps(found.outputs, indent=2, ensure_ascii=False)
    return _page("job.html.j2", "/ui/jobs", job=_shown(found), outputs=outputs)


@router.get("/ui/models")
def models(service: TheService) -> HTMLResponse:
    """The models, and what was judged of them."""
    reports = {
        variant
        for variant in service.settings.variants
        if (service.home.evaluations(variant) / "latest" / "report.html").is_file()
    }
    found = models_info(service).models
    return _page("models.html.j2", "/ui/models", models=found, reports=reports)


@router.get("/ui/source")
def source(
    service: TheService,
    repo: wire.RepoName,
    path: Annotated[str, Query(max_length=4_000)],
    start: Annotated[int, Query(ge=1)] = 1,
    end: Annotated[int, Query(ge=1)] = 1,
) -> HTMLResponse:
    """A file as it was ingested, with the lines that an answer cites."""
    if repo not in service.home.repo_names():
        return _problem(404, "No such repository", "It was never ingested, or was removed.")
    folder = service.home.snapshot(repo)
    try:
        file = ingestion.load_file(folder, path)
        commit = str(ingestion.snapshot_about(folder)["commit"])
    except RepoTuneError:
        file, commit = None, ""
    if file is None:
        return _problem(404, "No such file", "The newest ingestion kept no file of that path.")
    lines = file.text.split("\n")
    return _page(
        "source.html.j2", "", repo=repo, path=path, commit=commit, lines=lines, start=start, end=end
    )


async def _answer(service: Service, model: str, question: str, repo: str) -> dict[str, Any]:
    kind, _, variant = model.partition(":")
    known: dict[str, ModelKind] = {one: one for one in MODEL_KINDS}
    if kind not in known:
        return {"id": model, "error": f"There is no model {model!r}."}
    try:
        told = await service.models.query(question, Wanted(known[kind], variant or "main", repo))
    except RepoTuneError as error:
        return {"id": model, "error": without_places(str(error), service.home)}
    sources = [{**one, "address": _address(one)} for one in told["sources"]]
    return {"id": model, "error": "", "answer": told["answer"], "sources": sources}


def _address(source: dict[str, Any]) -> str:
    where = {
        "repo": source["repo"],
        "path": source["path"],
        "start": source["start_line"],
        "end": source["end_line"],
    }
    return f"/ui/source?{urlencode(where)}#L{source['start_line']}"


def _shown(job: Job) -> dict[str, Any]:
    began = datetime.fromtimestamp(job.started_at, UTC) if job.started_at else None
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "about": job.about,
        "status": job.status,
        "stage": job.stage,
        "progress": job.progress,
        "error": job.error,
        "outputs": job.outputs,
        "started": f"{began:%Y-%m-%d %H:%M:%S} UTC" if began else "",
    }


def _page(name: str, here: str, status: int = 200, **values: Any) -> HTMLResponse:
    text = _pages.get_template(name).render(here=here, **values)
    return HTMLResponse(text, status, headers=_HEADERS)


def _problem(status: int, title: str, detail: str) -> HTMLResponse:
    return _page("problem.html.j2", "", status, title=title, detail=detail)

"""What there is: repositories, models, reports, health, metrics."""

from __future__ import annotations

from typing import Any, Literal, cast

from anyio import to_thread
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from repo_tune_pipeline import champions, exports, retrieval
from repo_tune_pipeline.answering import REMOTE_KINDS, RemoteKind
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.registry import load_state, registered
from repo_tune_pipeline.service import wire
from repo_tune_pipeline.service.local_models import base_name
from repo_tune_pipeline.service.metrics import exposition
from repo_tune_pipeline.service.places import without_places
from repo_tune_pipeline.service.problems import documented
from repo_tune_pipeline.service.state import Service, TheService

router = APIRouter(tags=["overview"])

_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@router.get("/health", summary="Whether the service answers")
async def health() -> wire.Health:
    """Open to everyone."""
    return wire.Health(status="ok")


@router.get("/health/ready", summary="Whether it can do all that it does")
async def ready(service: TheService) -> wire.Health:
    """Open to everyone. Without Dagster no job starts; without an index no question is answered."""
    try:
        await service.dagster.instance()
        dagster = True
    except RepoTuneError:
        dagster = False
    index = await to_thread.run_sync(_has_index, service)
    return wire.Health(
        status="ok" if dagster and index else "degraded", dagster=dagster, index=index
    )


@router.get("/repos", responses=documented(422), summary="The ingested repositories")
def repos(service: TheService) -> wire.Repositories:
    """With what became of their files."""
    names = service.home.repo_names()
    return wire.Repositories(repos=[_repository(service, name) for name in names])


@router.get("/models/info", responses=documented(422), summary="The models that may be asked")
def models_info(service: TheService) -> wire.Models:
    """Each variant's champion and base model, Gemini, and a server of OpenAI's protocol where the
    configuration names one.
    """
    found: list[wire.ModelInfo] = []
    for variant in sorted(service.settings.variants):
        found += _local(service, variant)
    named = service.settings.answering.openai.base_url
    found += [_remote(service, kind) for kind in REMOTE_KINDS if kind != "openai" or named]
    return wire.Models(default=service.models.default, models=found)


@router.get(
    "/reports/{variant}",
    response_class=FileResponse,
    responses={**documented(404, 422), 200: {"content": {"text/html": {}}}},
    summary="The newest evaluation report of a variant",
)
def report(variant: wire.VariantName, service: TheService) -> FileResponse:
    """One HTML page."""
    file = service.home.evaluations(variant) / "latest" / "report.html"
    if variant not in service.settings.variants or not file.is_file():
        raise HTTPException(404, f"Variant {variant} has no report yet.")
    return FileResponse(
        file,
        media_type="text/html",
        headers={"Content-Security-Policy": _REPORT_POLICY, "Cache-Control": "no-cache"},
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
    summary="For Prometheus",
)
async def metrics(service: TheService) -> Response:
    """Counts and times of requests; how many questions are under way, and how many wait."""
    text = exposition(service.models.under_way, service.models.waiting)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _has_index(service: Service) -> bool:
    try:
        retrieval.index_summary(service.home.index)
    except RepoTuneError:
        return False
    return True


def _repository(service: Service, name: str) -> wire.Repository:
    entry = registered(service.home, name)
    read, cut = (load_state(service.home, stage, name) for stage in ("ingest", "chunks"))
    result = cast("dict[str, Any]", read.result if read else {})
    return wire.Repository(
        repo=name,
        source=without_places(entry.source, service.home),
        ref=entry.ref,
        commit=str(result.get("commit", "")),
        files=wire.Files.model_validate(result["files"]) if "files" in result else None,
        chunks=cast("int | None", cut.result.get("chunks")) if cut else None,
    )


def _local(service: Service, variant: str) -> list[wire.ModelInfo]:
    kinds: tuple[Literal["fine-tuned", "base"], ...] = ("fine-tuned", "base")
    try:
        version = exports.find_version(service.home, variant)
        champion = champions.champion(service.home, variant)
    except RepoTuneError as error:
        why = without_places(str(error), service.home)
        return [
            wire.ModelInfo(id=model_id(kind, variant), kind=kind, variant=variant, available=False,
                           reason=why)
            for kind in kinds
        ]  # fmt: skip
    return [
        wire.ModelInfo(
            id=model_id(kind, variant),
            kind=kind,
            variant=variant,
            available=True,
            version=str(version.run["version"]) if kind == "fine-tuned" else "",
            base_model=base_name(version),
            is_champion=kind == "fine-tuned"
            and champion is not None
            and champion.version == version.run["version"],
            verdict=version.verdict or None if kind == "fine-tuned" else None,
        )
        for kind in kinds
    ]


def _remote(service: Service, kind: RemoteKind) -> wire.ModelInfo:
    try:
        opened = service.models.open_remote(kind)
    except RepoTuneError as error:
        return wire.ModelInfo(id=kind, kind=kind, variant="", available=False, reason=str(error))
    return wire.ModelInfo(id=kind, kind=kind, variant="", available=True, version=opened.name)


def model_id(kind: str, variant: str) -> str:
    """How clients name a model: the kind, and the variant unless it is `main`."""
    return kind if variant == "main" else f"{kind}:{variant}"

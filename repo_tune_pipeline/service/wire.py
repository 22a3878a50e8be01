"""What goes over HTTP, both ways; the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from repo_tune_pipeline.answering import LONGEST_QUESTION, ModelKind
from repo_tune_pipeline.service.jobs import Kind, Status

JOB_ID = "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1"
JOB_ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_NAME = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"
_REPO = r"^[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*$"

QueryModel = ModelKind
VariantName = Annotated[str, Field(pattern=_NAME, max_length=100, examples=["main"])]
RepoName = Annotated[str, Field(pattern=_REPO, max_length=200, examples=["pallets/flask"])]
Question = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_QUESTION,
        pattern=r"\S",
        examples=["How do I integrate Hyperswitch payments?"],
    ),
]


def _whole(value: object) -> object:
    """JSON has no integers of its own: 3.0 is one, and "3" isn't."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
"""Comes after the bounds of a number: before them, they would be missing from the document."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class QueryBody(_Body):
    """A question. `model` may stand in the address, too: `/query?model=fine-tuned`."""

    q: Question
    model: QueryModel | None = None
    variant: VariantName = "main"
    repo: RepoName | None = None


class Source(BaseModel):
    """A passage that the model read, best first."""

    repo: str
    commit: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    score: float


class Usage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int


class QueryAnswer(BaseModel):
    """An answer in Markdown without active links, and what it was made from."""

    answer: str
    model: str
    sources: list[Source]
    usage: Usage
    seconds: float


class IngestBody(_Body):
    """A repository to read: a git URL, a folder, or the `owner/name` of a known one."""

    source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2_000,
            examples=["https://github.com/juspay/hyperswitch-client-core"],
        ),
    ]
    ref: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[
        str,
        Field(
            max_length=200,
            pattern=f"^$|{_REPO}",
            description="Empty: from the source.",
            examples=["juspay/hyperswitch-client-core"],
        ),
    ] = ""


class FineTuneBody(_Body):
    """A training; what isn't given is as the configuration says."""

    variant: VariantName = "main"
    profile: Literal["", "auto", "starter", "cpu", "gpu-8gb", "gpu-24gb", "gpu-80gb"] = ""
    base_model: Annotated[str, Field(max_length=300)] = ""
    max_steps: Annotated[int, Field(ge=0, le=1_000_000), Whole] = 0


class EvaluateBody(_Body):
    """A judgement on a variant's newest adapter."""

    variant: VariantName = "main"
    placebo: bool = True


class Started(BaseModel):
    """A job that was queued."""

    job_id: str
    status_url: str


class TrainingNow(BaseModel):
    """A training under way: loss in nats a token."""

    step: int
    max_steps: int
    loss: float
    tokens_per_second: float
    eta_seconds: float


class JobStatus(BaseModel):
    """A job. `progress` goes from 0 to 1; `outputs` are what its stages made, by stage."""

    job_id: str
    kind: Kind
    about: str = Field(description="The repository or the variant; empty where it is all of them.")
    status: Status
    stage: str
    progress: float
    training: TrainingNow | None
    started_at: float | None = Field(description="Seconds since 1970, UTC.")
    ended_at: float | None
    error: str | None
    outputs: dict[str, Any]


class JobPage(BaseModel):
    """Jobs, the newest first. `next` is the `before` of the next page."""

    jobs: list[JobStatus]
    next: str | None


class StepMetrics(BaseModel):
    """One step of a training."""

    step: int
    loss: float
    learning_rate: float
    tokens_per_second: float


class JobMetrics(BaseModel):
    """A training's steps so far."""

    steps: list[StepMetrics]


class Files(BaseModel):
    """What became of a repository's files."""

    seen: int
    kept: int
    dropped: dict[str, int]


class Repository(BaseModel):
    """An ingested repository; `commit` is empty until it was read once."""

    repo: str
    source: str
    ref: str
    commit: str
    files: Files | None
    chunks: int | None


class Repositories(BaseModel):
    """All that are known."""

    repos: list[Repository]


class ModelInfo(BaseModel):
    """A model that may be asked; `reason` says why one can't be."""

    id: str
    kind: QueryModel
    variant: str
    available: bool
    reason: str = ""
    version: str = ""
    base_model: str = ""
    is_champion: bool = False
    verdict: dict[str, Any] | None = None


class Models(BaseModel):
    """The models, and which one answers a question that names none."""

    default: QueryModel
    models: list[ModelInfo]


class Health(BaseModel):
    """`degraded` where the service answers, but can't start or show jobs."""

    status: Literal["ok", "degraded"]
    dagster: bool | None = None
    index: bool | None = None

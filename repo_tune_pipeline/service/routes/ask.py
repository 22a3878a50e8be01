"""`/query`: a question about the ingested repositories, answered with its sources."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request

from repo_tune_pipeline.service import wire
from repo_tune_pipeline.service.askable import Wanted
from repo_tune_pipeline.service.problems import documented
from repo_tune_pipeline.service.state import Service, TheService

T = TypeVar("T")

router = APIRouter(tags=["ask"], responses=documented(403, 404, 422, 502, 503))

ModelParameter = Annotated[
    wire.QueryModel | None, Query(description="Instead of `model` in the body.")
]


class ClientGoneError(Exception):
    """Nobody waits for the answer any longer."""


@router.post("/query", responses=documented(400, 413), summary="Ask a model over retrieved code")
async def post_query(
    body: wire.QueryBody, service: TheService, request: Request, model: ModelParameter = None
) -> wire.QueryAnswer:
    """Search the ingested repositories, and let a model answer over what was found.

    `fine-tuned` is the variant's champion (its newest adapter while there is none), `base` the
    model that it was trained from, `gemini` a remote one, `openai` the one behind the server of
    that protocol that the configuration names. Without `model` it is Gemini where the
    configuration lets it be asked, else `fine-tuned`.
    """
    kind = model or body.model or service.models.default
    return await _answered(service, request, body.q, Wanted(kind, body.variant, body.repo or ""))


@router.get("/query", summary="The same, as an address")
async def get_query(
    service: TheService,
    request: Request,
    q: Annotated[wire.Question, Query()],
    model: ModelParameter = None,
    variant: wire.VariantName = "main",
    repo: wire.RepoName | None = None,
) -> wire.QueryAnswer:
    """As `POST /query`."""
    kind = model or service.models.default
    return await _answered(service, request, q, Wanted(kind, variant, repo or ""))


async def _answered(
    service: Service, request: Request, question: str, wanted: Wanted
) -> wire.QueryAnswer:
    told: dict[str, Any] = await while_connected(request, service.models.query(question, wanted))
    return wire.QueryAnswer.model_validate(told)


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """What `work` gives; it is cancelled when the caller goes away.

    Raises:
        ClientGoneError: it did.
    """
    working = asyncio.ensure_future(work)

    async def gone() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.2)

    leaving = asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()

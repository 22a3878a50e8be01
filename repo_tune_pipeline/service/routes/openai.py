"""`/v1`: OpenAI's protocol, for editors and chat clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, cast

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from repo_tune_pipeline.answering import LONGEST_QUESTION, MODEL_KINDS, REMOTE_KINDS, source_json
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.models.cleaning import InertStream
from repo_tune_pipeline.models.protocol import Completion, Conversation, Prompt
from repo_tune_pipeline.service import openai_wire as wire
from repo_tune_pipeline.service.askable import Wanted
from repo_tune_pipeline.service.models import Writing
from repo_tune_pipeline.service.places import without_places
from repo_tune_pipeline.service.problems import openai_documented
from repo_tune_pipeline.service.routes.ask import while_connected
from repo_tune_pipeline.service.routes.overview import models_info
from repo_tune_pipeline.service.state import Service, TheService

router = APIRouter(
    prefix="/v1",
    tags=["OpenAI's protocol"],
    responses=openai_documented(400, 403, 404, 413, 422, 502, 503),
)
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {}}}}
}
_STARTED = int(time.time())

Written = AsyncGenerator[tuple[str, Writing]]


@router.get("/models", summary="The models that may be asked")
def models(service: TheService) -> wire.ModelList:
    """Those that are there now."""
    cards = [
        wire.ModelCard(id=one.id, created=_STARTED, owned_by="repo-tune")
        for one in models_info(service).models
        if one.available
    ]
    return wire.ModelList(data=cards)


@router.get("/models/{model}", summary="One of them")
def model(model: str, service: TheService) -> wire.ModelCard:
    """404 where it isn't there."""
    for card in models(service).data:
        if card.id == model:
            return card
    raise HTTPException(404, f"There is no model {model!r} here.")


@router.post("/chat/completions", responses=_STREAMED, response_model=wire.ChatAnswer)
async def chat(body: wire.ChatBody, service: TheService, request: Request) -> Any:
    """The last question of a conversation, answered over retrieved code."""
    wanted = _wanted(body, body.max_completion_tokens or body.max_tokens, service, body.repo)
    turns = _asked([(one.role, one.text) for one in body.messages])
    written = _clean(_chat(service, turns, wanted, grounded=body.retrieval), InertStream())
    head = _Head(f"chatcmpl-{uuid.uuid4().hex}", body.model)
    if body.stream:
        return await _streamed(head, written, _chat_event, service, request)
    text, told = await while_connected(request, _whole(written))
    return wire.ChatAnswer(
        id=head.id,
        created=head.created,
        model=head.model,
        choices=[wire.ChatChoice(message=wire.Said(content=text), finish_reason=_reason(told))],
        usage=_usage(told),
        sources=cast("list[wire.Source]", _sources(told)),
    )


@router.post("/completions", responses=_STREAMED, response_model=wire.CompletionAnswer)
async def complete(body: wire.CompletionBody, service: TheService, request: Request) -> Any:
    """A text that goes on, or a gap that is filled, by the model alone."""
    wanted = _wanted(body, body.max_tokens, service)
    question = Completion(body.prompt, body.suffix or "")
    written = _clean(service.models.write(question, wanted), _AsItIs())
    head = _Head(f"cmpl-{uuid.uuid4().hex}", body.model)
    if body.stream:
        return await _streamed(head, written, _text_event, service, request)
    text, told = await while_connected(request, _whole(written))
    return wire.CompletionAnswer(
        id=head.id,
        created=head.created,
        model=head.model,
        choices=[wire.TextChoice(text=text, finish_reason=_reason(told))],
        usage=_usage(told),
    )


@dataclass(frozen=True, slots=True)
class _Head:
    id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))


class _Cleaner(Protocol):
    def add(self, part: str) -> str: ...

    def end(self) -> str: ...


class _AsItIs:
    """For code that an editor puts in its place."""

    def add(self, part: str) -> str:
        return part

    def end(self) -> str:
        return ""


def _asked(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The conversation up to its last question; all of it is one where nobody asked."""
    turns = [("system" if role == "developer" else role, text) for role, text in said]
    while turns and turns[-1][0] != "user":
        turns.pop()
    return turns or [("user", "\n\n".join(text for _, text in said))]


def _chat(
    service: Service, turns: list[tuple[str, str]], wanted: Wanted, *, grounded: bool
) -> Written:
    """Over passages where they are wanted; a first question is asked as it was trained."""
    last = turns[-1][1]
    if last.strip() and not grounded:
        return service.models.write(_plain(turns, wanted), wanted)
    asked = Prompt(last if len(turns) == 1 else _told_as_one(turns))
    return service.models.write(asked, wanted, over=last[:LONGEST_QUESTION])


def _plain(turns: list[tuple[str, str]], wanted: Wanted) -> Prompt | Conversation:
    if wanted.kind in REMOTE_KINDS:
        return Prompt(_told_as_one(turns))
    return Conversation(tuple(turns))


def _told_as_one(turns: list[tuple[str, str]]) -> str:
    """What was said before, above the question, in the one turn that carries passages."""
    before = "\n\n".join(f"{role}: {text}" for role, text in turns[:-1])
    return f"{before}\n\n{turns[-1][1]}" if before else turns[-1][1]


async def _clean(written: Written, cleaner: _Cleaner) -> Written:
    """The parts as they may be shown; the last one comes with the whole answer."""
    async with aclosing(written) as parts:
        async for part, writing in parts:
            shown = cleaner.add(part)
            if writing.answer is not None:
                yield shown + cleaner.end() + writing.answer.refusal, writing
            elif shown:
                yield shown, writing


async def _whole(written: Written) -> tuple[str, Writing]:
    texts: list[str] = []
    last: Writing | None = None
    async with aclosing(written) as parts:
        async for text, writing in parts:
            texts.append(text)
            last = writing
    if last is None:
        raise HTTPException(502, "The model gave no answer.")
    return "".join(texts), last


async def _streamed(
    head: _Head,
    written: Written,
    event: Callable[[_Head, str, Writing, bool], dict[str, Any]],
    service: Service,
    request: Request,
) -> StreamingResponse:
    # An error before the first part is still told by a status, and the response watches for a
    # disconnect only once it has begun.
    first = await while_connected(request, anext(written))

    async def events() -> AsyncGenerator[bytes]:
        yield _event(event(head, first[0], first[1], True))
        try:
            async for text, writing in written:
                yield _event(event(head, text, writing, False))
        except RepoTuneError as error:
            said = without_places(str(error), service.home)
            failure = wire.Failure(message=said, type="server_error", param=None, code=None)
            yield _event({"error": failure.model_dump()})
        yield b"data: [DONE]\n\n"

    return _Events(events(), written)


class _Events(StreamingResponse):
    """Server-sent events; what they are made from is closed with the response, even where the
    client goes away before the first of them.
    """

    def __init__(self, events: AsyncGenerator[bytes], written: Written) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._written = written

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._written):
            await super().__call__(scope, receive, send)


def _chat_event(head: _Head, text: str, writing: Writing, first: bool) -> dict[str, Any]:
    delta: dict[str, Any] = {"content": text}
    if first:
        delta["role"] = "assistant"
    choice = {"index": 0, "delta": delta, "finish_reason": _end(writing)}
    made = _chunk(head, "chat.completion.chunk", choice)
    return made if writing.answer is None else {**made, "sources": _sources(writing)}


def _text_event(head: _Head, text: str, writing: Writing, first: bool) -> dict[str, Any]:
    del first
    choice = {"index": 0, "text": text, "finish_reason": _end(writing), "logprobs": None}
    return _chunk(head, "text_completion", choice)


def _chunk(head: _Head, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": head.id,
        "object": kind,
        "created": head.created,
        "model": head.model,
        "choices": [choice],
    }


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _wanted(
    body: wire.ChatBody | wire.CompletionBody,
    max_tokens: int | None,
    service: Service,
    repo: str = "",
) -> Wanted:
    """The model of that name: a kind, and behind a colon a variant other than `main`."""
    kind, _, variant = body.model.partition(":")
    variant = variant or "main"
    for known in MODEL_KINDS:
        if kind == known and variant in service.settings.variants:
            wanted = Wanted(known, variant, repo, stop=body.stops)
            most = service.models.tokens(wanted)
            return replace(wanted, max_tokens=min(max_tokens or most, 4 * most))
    raise HTTPException(404, f"There is no model {body.model!r} here; `/v1/models` lists them.")


def _reason(told: Writing) -> Literal["stop", "length"]:
    return "stop" if told.answer is None or told.answer.finished else "length"


def _end(writing: Writing) -> str | None:
    return None if writing.answer is None else _reason(writing)


def _usage(told: Writing) -> wire.TokenUsage:
    read, made = (told.answer.prompt_tokens, told.answer.tokens) if told.answer else (0, 0)
    return wire.TokenUsage(prompt_tokens=read, completion_tokens=made, total_tokens=read + made)


def _sources(told: Writing) -> list[dict[str, Any]]:
    return [source_json(hit) for hit, _ in told.passages]

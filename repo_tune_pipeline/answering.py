"""A question about the ingested repositories, answered by a model over what a search finds."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from repo_tune_pipeline import exports
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.clients import Client, connect
from repo_tune_pipeline.errors import ConfigError, UsageError
from repo_tune_pipeline.exposure import host_of, is_loopback
from repo_tune_pipeline.models.grounded import GroundedAnswer, answer_grounded
from repo_tune_pipeline.models.protocol import Answerer, Prompt
from repo_tune_pipeline.models.quiet import quietly, stay_offline
from repo_tune_pipeline.models.remote import RemoteAnswerer
from repo_tune_pipeline.retrieval import Hit, connect_embedder, search
from repo_tune_pipeline.settings import AnsweringSettings, Settings

RemoteKind = Literal["gemini", "openai"]
ModelKind = Literal["fine-tuned", "base", RemoteKind]
REMOTE_KINDS: tuple[RemoteKind, ...] = get_args(RemoteKind)
MODEL_KINDS: tuple[ModelKind, ...] = get_args(ModelKind)
LONGEST_QUESTION = 4_000
"""Characters."""
_REMOTE_CHARS = 60_000
"""Of material for a remote model: some 20,000 tokens, a small part of what such models read."""

_CONSENT = "Set `answering.i_may_send_this_code: true` if you may, or ask another model."


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that answers: its name, and whether a prompt leaves room for the answer."""

    name: str
    answerer: Answerer
    has_room: Callable[[Prompt, int], bool]


def ask(
    question: str,
    model: OpenedModel,
    home: Home,
    settings: Settings,
    *,
    repo: str = "",
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Search, ask, and name the sources.

    Args:
        question: in the asker's words.
        model: from `open_model`.
        home: where the search index lies.
        settings: how many passages, how long an answer.
        repo: only this repository, `owner/name`; empty means all.
        environ: where an embedding server's key is looked up.

    Returns:
        `{answer, model, sources: [{repo, commit, path, start_line, end_line, symbol, score}],
        usage: {prompt_tokens, completion_tokens}, seconds}`.

    Raises:
        UsageError: the question is empty or too long.
        EmptyInputError: there is no search index.
        ConfigError, ModelServerError: from a remote model, or an embedding server.
    """
    if not question.strip() or len(question) > LONGEST_QUESTION:
        raise UsageError(
            f"The question has {len(question.strip())} characters.",
            f"Ask with 1 to {LONGEST_QUESTION:,}.",
        )
    limits = settings.answering
    found = answer_grounded(
        question,
        answerer=model.answerer,
        find=lambda words: find_passages(words, home, settings, repo=repo, environ=environ),
        room=lambda input: model.has_room(Prompt(question, input), limits.max_tokens),
        max_tokens=limits.max_tokens,
    )
    return answer_json(found, model.name)


def find_passages(
    question: str,
    home: Home,
    settings: Settings,
    *,
    repo: str = "",
    environ: Mapping[str, str] = os.environ,
) -> list[Hit]:
    """What the search finds for a question, as many passages as the configuration says.

    Raises:
        EmptyInputError: there is no search index.
        ConfigError, ModelServerError: from an embedding server.
    """
    return search(
        home.index,
        question,
        limit=settings.answering.passages,
        repo=repo,
        embedder=connect_embedder(settings.retrieval.embedding, environ),
    )


def open_model(
    kind: ModelKind,
    variant: str,
    home: Home,
    settings: Settings,
    environ: Mapping[str, str] = os.environ,
) -> OpenedModel:
    """Load a local model, or connect to a remote one.

    Args:
        kind: the variant's champion (or newest adapter), its base model alone, or a remote one.
        variant: which adapter; remote models have none.
        home: where adapters lie.
        settings: where remote models are, and whether code may be sent to them.
        environ: where keys are looked up.

    Raises:
        ConfigError: as `open_remote`.
        EmptyInputError: there is no adapter yet.
        BaseModelError, EvaluationError: the model can't be loaded.
    """
    if kind in REMOTE_KINDS:
        return open_remote(kind, settings, environ)
    version = exports.find_version(home, variant)
    base = version.find_base()
    adapter, name = (None, base.name) if kind == "base" else (version.folder, version.name)
    stay_offline()
    with quietly():
        # Imported here: torch and transformers take seconds, and a remote model needs neither.
        from repo_tune_pipeline.models.loading import load_local_model

        model = load_local_model(base.reference, adapter)
    return OpenedModel(name, model, model.has_room)


def open_remote(
    kind: RemoteKind, settings: Settings, environ: Mapping[str, str] = os.environ
) -> OpenedModel:
    """Connect to Gemini, or to the server of OpenAI's protocol that the configuration names.

    Raises:
        ConfigError: no server is named, there is no key, or nobody said that the code may be sent.
    """
    limits = settings.answering
    client = _gemini(limits, environ) if kind == "gemini" else _openai(limits, environ)
    answerer = RemoteAnswerer(client)

    def has_room(prompt: Prompt, max_tokens: int) -> bool:
        del max_tokens  # little beside what it reads
        return len(prompt.input) <= _REMOTE_CHARS

    return OpenedModel(answerer.name, answerer, has_room)


def _gemini(limits: AnsweringSettings, environ: Mapping[str, str]) -> Client:
    if not limits.i_may_send_this_code:
        raise ConfigError(
            "Gemini would be sent the code that the search finds, and its unpaid tier may use what "
            "it is sent.",
            _CONSENT,
        )
    return connect(
        "gemini",
        base_url=limits.gemini_url,
        timeout_seconds=limits.timeout_seconds,
        environ=environ,
    )


def _openai(limits: AnsweringSettings, environ: Mapping[str, str]) -> Client:
    named = limits.openai
    if not named.base_url or not named.model:
        raise ConfigError(
            "The configuration names no model behind a server of OpenAI's protocol.",
            "Set `answering.openai.base_url` and `answering.openai.model`, or ask another model.",
        )
    if not named.base_url.startswith(("http://", "https://")):
        raise ConfigError(
            f"`answering.openai.base_url` is {named.base_url}, which is no http address.",
            f"Write it as http://{named.base_url}, or with https.",
        )
    host = host_of(named.base_url)
    if not is_loopback(host) and not limits.i_may_send_this_code:
        raise ConfigError(
            f"{host or named.base_url} would be sent the code that the search finds.", _CONSENT
        )
    return connect(
        "openai_api",
        model=named.model,
        base_url=named.base_url,
        key_variable=named.key_variable,
        timeout_seconds=limits.timeout_seconds,
        environ=environ,
    )


def source_json(hit: Hit) -> dict[str, Any]:
    """A passage as an answer names it."""
    return {
        "repo": hit.repo,
        "commit": hit.commit,
        "path": hit.path,
        "start_line": hit.start_line,
        "end_line": hit.end_line,
        "symbol": hit.symbol,
        "score": hit.score,
    }


def answer_json(found: GroundedAnswer, model: str) -> dict[str, Any]:
    """An answer in the form that `ask` gives."""
    return {
        "answer": found.text,
        "model": model,
        "sources": [source_json(hit) for hit in found.sources],
        "usage": {"prompt_tokens": found.prompt_tokens, "completion_tokens": found.tokens},
        "seconds": round(found.seconds, 3),
    }

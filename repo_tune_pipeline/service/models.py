"""Questions to the models: searched for, asked, told with their sources, whole or as they come."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from anyio import CapacityLimiter, to_thread

from repo_tune_pipeline import answering
from repo_tune_pipeline.answering import OpenedModel
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.clients.connect import GEMINI_KEY
from repo_tune_pipeline.errors import BusyError, UsageError
from repo_tune_pipeline.exports import AdapterVersion
from repo_tune_pipeline.models.grounded import (
    grounded_prompt,
    nothing_found,
    passages_for,
    read_answer,
)
from repo_tune_pipeline.models.protocol import Answer, Prompt, Question
from repo_tune_pipeline.models.queue import Asked
from repo_tune_pipeline.retrieval import Hit
from repo_tune_pipeline.service.local_models import LocalModels, Serving
from repo_tune_pipeline.settings import Settings

Kind = Literal["fine-tuned", "base", "gemini"]
_SEARCHES = 4
"""At once: each uses the cores by itself."""
_SENDERS = 8
"""Questions to Gemini at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which model, and over what."""

    kind: Kind
    variant: str = "main"
    repo: str = ""
    max_tokens: int = 0
    stop: tuple[str, ...] = ()


@dataclass(slots=True)
class Writing:
    """An answer under way: `parts` as they come, then `answer`; `passages` are what it reads."""

    model: str
    passages: list[tuple[Hit, str]] = field(default_factory=list[tuple[Hit, str]])
    answer: Answer | None = None


class Models:
    """Everything that answers.

    Args:
        home: where the index and the adapters lie.
        settings: of answering, retrieval and the service.
        local: the local models.
        environ: where keys are looked up.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        local: LocalModels,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._home = home
        self._settings = settings
        self._local = local
        self._environ = environ
        self._remote: OpenedModel | None = None
        self._searching = CapacityLimiter(_SEARCHES)
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="gemini")
        self._under_way = 0

    @property
    def default(self) -> Kind:
        """Gemini where it may be asked, as the first users of this service had it."""
        may = self._settings.answering.i_may_send_this_code and self._environ.get(GEMINI_KEY)
        return "gemini" if may else "fine-tuned"

    @property
    def under_way(self) -> int:
        """Questions that are searched for, wait, or are being answered."""
        return self._under_way

    def close(self) -> None:
        """Answer nothing more."""
        self._local.close()
        self._senders.shutdown(wait=False, cancel_futures=True)

    def tokens(self, wanted: Wanted) -> int:
        """Of an answer, at most."""
        return wanted.max_tokens or self._settings.answering.max_tokens

    async def query(self, question: str, wanted: Wanted) -> dict[str, Any]:
        """What `answering.ask` gives, for one of many that ask at once.

        Raises:
            BusyError: too many do.
            ConfigError: Gemini may not be asked.
            EmptyInputError: there is no index, or no adapter.
            UsageError: the question is too long for the model.
            BaseModelError, EvaluationError, ModelServerError: from the model.
        """
        began = time.monotonic()
        with self._counted():
            # Whether it can be asked is known before anything is searched for.
            model = self._opened(wanted)
            hits = await self.search(question, wanted.repo)
            if not hits:
                return answering.answer_json(nothing_found(time.monotonic() - began), model.name)
            passages: list[tuple[Hit, str]] = []
            asked = model.ask(partial(_grounded, question, hits, passages, self.tokens(wanted)))
            answer = await _finished(asked)
            found = read_answer(answer, passages, time.monotonic() - began)
        return answering.answer_json(found, model.name)

    async def search(self, question: str, repo: str) -> list[Hit]:
        """Passages for a question. Raises as `answering.find_passages`."""
        look = partial(
            answering.find_passages,
            question,
            self._home,
            self._settings,
            repo=repo,
            environ=self._environ,
        )
        return await to_thread.run_sync(look, limiter=self._searching)

    async def write(
        self, question: Question, wanted: Wanted, hits: Sequence[Hit] = ()
    ) -> AsyncGenerator[tuple[str, Writing]]:
        """Parts of an answer as they are written, with all of it at the end. Ended early, the
        generation ends too.

        Args:
            question: with `hits`, a Prompt, below which they are put.
            wanted: which model.
            hits: from `search`.

        Raises:
            As `query`.
        """
        with self._counted():
            model = self._opened(wanted)
            writing = Writing(model.name)
            loop = asyncio.get_running_loop()
            parts: asyncio.Queue[str | None] = asyncio.Queue()

            def made(to: _Room) -> Question:
                if not hits or not isinstance(question, Prompt):
                    return question
                tokens = self.tokens(wanted)
                return _grounded(question.instruction, hits, writing.passages, tokens, to)

            def say(part: str | None) -> None:
                loop.call_soon_threadsafe(parts.put_nowait, part)

            asked = model.ask(made, on_text=say)
            asked.add_done_callback(lambda _: say(None))
            try:
                while (part := await parts.get()) is not None:
                    yield part, writing
                writing.answer = await asyncio.wrap_future(asked)
                yield "", writing
            finally:
                asked.drop()

    @contextmanager
    def _counted(self) -> Generator[None]:
        most = 2 * self._settings.service.max_waiting
        if self._under_way >= most:
            raise BusyError(f"{self._under_way} questions are being answered.", 5.0)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def _opened(self, wanted: Wanted) -> _Model:
        if wanted.kind == "gemini":
            if self._remote is None:
                self._remote = answering.open_gemini(self._settings, self._environ)
            return _Remote(self._remote, self._senders, self.tokens(wanted))
        return _Local(self._local.of(wanted.variant), wanted, self.tokens(wanted))


class _Room(Protocol):
    def has_room(self, prompt: Question, max_tokens: int) -> bool: ...


Made = Callable[[Any], Question]


class _Model(Protocol):
    @property
    def name(self) -> str: ...

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked: ...


class _Local:
    def __init__(self, serving: Serving, wanted: Wanted, max_tokens: int) -> None:
        self._queue = serving.queue
        self._wanted = wanted
        self._max_tokens = max_tokens
        is_base = wanted.kind == "base"
        self.name = base_name(serving.version) if is_base else serving.version.name

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked:
        return self._queue.ask(
            made,
            max_tokens=self._max_tokens,
            model=self._wanted.kind,
            stop=self._wanted.stop,
            on_text=on_text,
        )


class _Remote:
    """Answers whole: the libraries of remote models are asked one question a thread."""

    def __init__(self, opened: OpenedModel, senders: ThreadPoolExecutor, max_tokens: int) -> None:
        self._opened = opened
        self._senders = senders
        self._max_tokens = max_tokens
        self.name = opened.name

    def has_room(self, prompt: Question, max_tokens: int) -> bool:
        return isinstance(prompt, Prompt) and self._opened.has_room(prompt, max_tokens)

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked:
        asked = Asked()

        def send() -> None:
            if not asked.set_running_or_notify_cancel():
                return
            try:
                prompt = made(self)
                if not isinstance(prompt, Prompt):
                    raise UsageError("Gemini is asked questions here, and completes no text.")  # noqa: TRY301
                (answer,) = self._opened.answerer.answer([prompt], max_tokens=self._max_tokens)
            except Exception as error:
                asked.set_exception(error)
                return
            if on_text is not None and answer.text:
                on_text(answer.text)
            asked.set_result(answer)

        self._senders.submit(send)
        return asked


def base_name(version: AdapterVersion) -> str:
    """The base model's name, without where it lies."""
    return Path(str(version.run.get("base_model", "base"))).name


def _grounded(
    question: str, hits: Sequence[Hit], passages: list[tuple[Hit, str]], tokens: int, to: _Room
) -> Prompt:
    """The question over what fits of `hits`, which is left in `passages`."""
    found = passages_for(hits, lambda input: to.has_room(Prompt(question, input), tokens))
    passages[:] = found
    return grounded_prompt(question, found)


async def _finished(asked: Asked) -> Answer:
    try:
        return await asyncio.wrap_future(asked)
    finally:
        # Whoever asked may have gone; what is done is done.
        asked.drop()

"""Questions to the models: searched for, asked, told with their sources, whole or as they come."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from repo_tune_pipeline import answering
from repo_tune_pipeline.answering import REMOTE_KINDS, ModelKind, OpenedModel, RemoteKind
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.clients.connect import GEMINI_KEY
from repo_tune_pipeline.models.asked import Asked
from repo_tune_pipeline.models.grounded import (
    NOTHING_FOUND,
    grounded_prompt,
    nothing_found,
    passages_for,
    read_answer,
)
from repo_tune_pipeline.models.protocol import Answer, Prompt, Question
from repo_tune_pipeline.retrieval import Hit
from repo_tune_pipeline.service.admission import Admission
from repo_tune_pipeline.service.askable import Askable, Made, Room, Wanted
from repo_tune_pipeline.service.local_models import LocalModel, LocalModels
from repo_tune_pipeline.service.remote_models import RemoteModels
from repo_tune_pipeline.settings import Settings

_SEARCHES = 4
"""At once: each uses the cores by itself."""


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
        settings: of answering and retrieval.
        local: the local models.
        admission: bounds the questions under way.
        environ: where keys are looked up.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        local: LocalModels,
        admission: Admission,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._home = home
        self._settings = settings
        self._local = local
        self._admission = admission
        self._environ = environ
        self._remote = RemoteModels(settings, environ)
        self._searchers = ThreadPoolExecutor(_SEARCHES, thread_name_prefix="search")

    @property
    def default(self) -> ModelKind:
        """Gemini where it may be asked, as the first users of this service had it."""
        may = self._settings.answering.i_may_send_this_code and self._environ.get(GEMINI_KEY)
        return "gemini" if may else "fine-tuned"

    @property
    def under_way(self) -> int:
        """Questions that are searched for, wait, or are being answered."""
        return self._admission.under_way

    @property
    def waiting(self) -> int:
        """Questions that wait for a local model's turn."""
        return self._local.waiting()

    def close(self) -> None:
        """Answer nothing more."""
        self._local.close()
        self._remote.close()
        self._searchers.shutdown(wait=False, cancel_futures=True)

    def open_remote(self, kind: RemoteKind) -> OpenedModel:
        """Raises ConfigError where it may not be asked."""
        return self._remote.open(kind)

    def tokens(self, wanted: Wanted) -> int:
        """Of an answer, at most."""
        return wanted.max_tokens or self._settings.answering.max_tokens

    async def query(self, question: str, wanted: Wanted) -> dict[str, Any]:
        """What `answering.ask` gives, for one of many that ask at once.

        Raises:
            BusyError: too many do.
            ConfigError: a remote model may not be asked.
            EmptyInputError: there is no index, or no adapter.
            UsageError: the question is too long for the model.
            BaseModelError, EvaluationError, ModelServerError: from the model.
        """
        began = time.monotonic()
        with self._admission.admitted():
            # Whether it can be asked is known before anything is searched for.
            model = await self._model(wanted)
            hits = await self._search(question, wanted.repo)
            if not hits:
                return answering.answer_json(nothing_found(time.monotonic() - began), model.name)
            # Meanwhile there may be another champion, and its version another queue.
            model = await self._model(wanted)
            passages: list[tuple[Hit, str]] = []
            asked = model.ask(partial(_grounded, question, hits, passages, self.tokens(wanted)))
            answer = await _finished(asked)
            found = read_answer(answer, passages, time.monotonic() - began)
        return answering.answer_json(found, model.name)

    async def write(
        self, question: Question, wanted: Wanted, over: str | None = None
    ) -> AsyncGenerator[tuple[str, Writing]]:
        """Parts of an answer as they are written, with all of it at the end. Ended early, the
        generation ends too.

        Args:
            question: with `over`, a Prompt, below which the passages are put.
            wanted: which model.
            over: what is searched for; None asks the model alone.

        Raises:
            As `query`.
        """
        with self._admission.admitted():
            model = await self._model(wanted)
            writing = Writing(model.name)
            made: Made = partial(_alone, question)
            if over is not None and isinstance(question, Prompt):
                hits = await self._search(over, wanted.repo)
                if not hits:
                    writing.answer = Answer(NOTHING_FOUND, 0, 0, finished=True)
                    yield NOTHING_FOUND, writing
                    return
                # As above.
                model = await self._model(wanted)
                writing.model = model.name
                made = partial(
                    _grounded, question.instruction, hits, writing.passages, self.tokens(wanted)
                )
            async with aclosing(_written(model, made, writing)) as parts:
                async for part in parts:
                    yield part, writing

    async def _search(self, question: str, repo: str) -> list[Hit]:
        """Passages for a question. Raises as `answering.find_passages`."""
        if not question.strip():
            return []
        look = partial(
            answering.find_passages,
            question,
            self._home,
            self._settings,
            repo=repo,
            environ=self._environ,
        )
        # A search that nobody waits for any longer keeps its place until it has ended.
        return await asyncio.get_running_loop().run_in_executor(self._searchers, look)

    async def _model(self, wanted: Wanted) -> Askable:
        if wanted.kind in REMOTE_KINDS:
            return await self._remote.of(wanted.kind, self.tokens(wanted))
        return LocalModel(self._local.of(wanted.variant), wanted, self.tokens(wanted))


def _alone(question: Question, to: Room) -> Question:
    del to  # without passages there is nothing to fit
    return question


def _grounded(
    question: str, hits: Sequence[Hit], passages: list[tuple[Hit, str]], tokens: int, to: Room
) -> Prompt:
    """The question over what fits of `hits`, which is left in `passages`."""
    found = passages_for(hits, lambda input: to.has_room(Prompt(question, input), tokens))
    passages[:] = found
    return grounded_prompt(question, found)


async def _written(model: Askable, made: Made, writing: Writing) -> AsyncGenerator[str]:
    """The parts of an answer; with the last one, which may be empty, `writing` has all of it."""
    loop = asyncio.get_running_loop()
    parts: asyncio.Queue[str | None] = asyncio.Queue()

    def say(part: str | None) -> None:
        loop.call_soon_threadsafe(parts.put_nowait, part)

    asked = model.ask(made, on_text=say)
    asked.add_done_callback(lambda _: say(None))
    try:
        while (part := await parts.get()) is not None:
            yield part
        writing.answer = await asyncio.wrap_future(asked)
        yield ""
    finally:
        asked.drop()


async def _finished(asked: Asked) -> Answer:
    try:
        return await asyncio.wrap_future(asked)
    finally:
        # Whoever asked may have gone; what is done is done.
        asked.drop()

"""A local model that many ask at once: loaded once, in its own thread, behind a bounded queue."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from repo_tune_pipeline.errors import BusyError
from repo_tune_pipeline.models.protocol import Answer, Answerer, Prompt


@dataclass(frozen=True, slots=True)
class _Question:
    prompt: Prompt
    max_tokens: int
    answer: Future[Answer]


class ModelQueue:
    """Answers in batches of what waits. The model is loaded with the first question, and freed
    while `device_wanted`, for a training, or after `close`.

    Args:
        load: gives the model; called in the thread that answers.
        most_waiting: questions beyond it are turned away at once.
        most_together: in one batch.
        device_wanted: whether something else needs the memory that the model takes.
    """

    def __init__(
        self,
        load: Callable[[], Answerer],
        *,
        most_waiting: int = 32,
        most_together: int = 8,
        device_wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._load = load
        self._most_waiting = most_waiting
        self._most_together = most_together
        self._device_wanted = device_wanted
        self._model: Answerer | None = None
        self._seconds_each = 1.0
        self._waiting: deque[_Question] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def ask(self, prompt: Prompt, *, max_tokens: int) -> Future[Answer]:
        """An answer to come; cancelled before its turn, it is never made.

        Raises:
            BusyError: too many wait, or a training holds the device.
        """
        if self._device_wanted():
            self.free()
            raise BusyError("A training holds the device.", 60.0)
        answer: Future[Answer] = Future()
        with self._changed:
            if self._closed:
                raise BusyError("The model is being closed.", 60.0)
            if len(self._waiting) >= self._most_waiting:
                wait = max(1.0, len(self._waiting) * self._seconds_each)
                raise BusyError(f"{len(self._waiting)} questions wait already.", wait)
            self._waiting.append(_Question(prompt, max_tokens, answer))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify()
        return answer

    def free(self) -> None:
        """Give the model's memory back after the batch under way; the next question loads it."""
        with self._changed:
            self._model = None

    def close(self) -> None:
        """Answer nothing more; what waits is told so."""
        with self._changed:
            self._closed = True
            waiting = [*self._waiting]
            self._waiting.clear()
            self._model = None
            self._changed.notify_all()
        for question in waiting:
            question.answer.cancel()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            began = time.monotonic()
            asked = [one for one in batch if one.answer.set_running_or_notify_cancel()]
            if asked:
                self._answer(asked)
                self._seconds_each = (time.monotonic() - began) / len(asked)

    def _answer(self, asked: list[_Question]) -> None:
        try:
            # A name of this thread's own: `free` may take the other one away meanwhile.
            model = self._model = self._model or self._load()
            prompts = [one.prompt for one in asked]
            answers = model.answer(prompts, max_tokens=asked[0].max_tokens)
        except Exception as error:
            if len(asked) == 1:
                asked[0].answer.set_exception(error)
                return
            # One question can be too long: the others are not to fail with it.
            for one in asked:
                self._answer([one])
            return
        for one, answer in zip(asked, answers, strict=True):
            one.answer.set_result(answer)

    def _next(self) -> list[_Question] | None:
        """What is answered together: the first that waits, and those of its length behind it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            batch = [self._waiting.popleft()]
            while (
                self._waiting
                and len(batch) < self._most_together
                and self._waiting[0].max_tokens == batch[0].max_tokens
            ):
                batch.append(self._waiting.popleft())
            return batch

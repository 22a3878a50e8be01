"""A local model that many ask at once: loaded once, in its own thread, behind a bounded queue."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from repo_tune_pipeline.errors import BusyError
from repo_tune_pipeline.models.protocol import Answer, Follower, Question

MOST_TOGETHER = 8
"""Questions that are answered in one batch."""


class FollowedAnswerer(Protocol):
    """An answerer that can be watched while it writes."""

    def answer(
        self, prompts: Sequence[Question], *, max_tokens: int, follow: Follower | None = None
    ) -> list[Answer]: ...

    def has_room(self, prompt: Question, max_tokens: int) -> bool: ...


Load = Callable[[], Mapping[str, FollowedAnswerer]]


class Asked(Future[Answer]):
    """An answer to come."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped = threading.Event()

    def drop(self) -> None:
        """Nobody waits any longer: what waits is never asked, what is being written ends."""
        self.dropped.set()
        self.cancel()


@dataclass(frozen=True, slots=True)
class _Waiting:
    question: Question | Callable[[FollowedAnswerer], Question]
    model: str
    max_tokens: int
    stop: tuple[str, ...]
    on_text: Callable[[str], None] | None
    asked: Asked


class ModelQueue:
    """Answers in batches of what waits. The model is loaded with the first question, and freed
    while `device_wanted`, for a training, or after `close`.

    Args:
        load: gives models by name, such as a base and, over the same weights, its adapter; called
            in the thread that answers.
        most_waiting: questions beyond it are turned away at once.
        most_together: in one batch.
        device_wanted: whether something else needs the memory that the model takes.
    """

    def __init__(
        self,
        load: Load,
        *,
        most_waiting: int = 32,
        most_together: int = MOST_TOGETHER,
        device_wanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._load = load
        self._most_waiting = most_waiting
        self._most_together = most_together
        self._device_wanted = device_wanted
        self._models: Mapping[str, FollowedAnswerer] | None = None
        self._seconds_each = 1.0
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def loaded(self) -> bool:
        return self._models is not None

    @property
    def waiting(self) -> int:
        """How many questions wait for their turn."""
        return len(self._waiting)

    def ask(
        self,
        question: Question | Callable[[FollowedAnswerer], Question],
        *,
        max_tokens: int,
        model: str = "",
        stop: Sequence[str] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> Asked:
        """An answer to come; dropped before its turn, it is never made.

        Args:
            question: or what makes one for the model, called in the thread that answers.
            max_tokens: of the answer.
            model: one of the names that `load` gives.
            stop: texts before which the answer ends.
            on_text: called in the thread that answers with each part of it as it is written.

        Raises:
            BusyError: too many wait, or a training holds the device.
        """
        if self._device_wanted():
            self.free()
            raise BusyError("A training holds the device.", 60.0)
        asked = Asked()
        with self._changed:
            if self._closed:
                raise BusyError("The model is being closed.", 60.0)
            if len(self._waiting) >= self._most_waiting:
                wait = max(1.0, len(self._waiting) * self._seconds_each)
                raise BusyError(f"{len(self._waiting)} questions wait already.", wait)
            self._waiting.append(_Waiting(question, model, max_tokens, tuple(stop), on_text, asked))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify()
        return asked

    def free(self) -> None:
        """Give the model's memory back after the batch under way; the next question loads it."""
        with self._changed:
            self._models = None

    def close(self) -> None:
        """Answer nothing more; what waits is told so."""
        with self._changed:
            self._closed = True
            waiting = [*self._waiting]
            self._waiting.clear()
            self._models = None
            self._changed.notify_all()
        for one in waiting:
            one.asked.cancel()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            began = time.monotonic()
            asked = [one for one in batch if one.asked.set_running_or_notify_cancel()]
            if asked:
                self._answer(asked)
                self._seconds_each = (time.monotonic() - began) / len(asked)

    def _answer(self, batch: list[_Waiting]) -> None:
        follow = _Followed(batch)
        try:
            # A name of this thread's own: `free` may take the other one away meanwhile.
            models = self._models = self._models or self._load()
            model = models[batch[0].model]
            questions = [one.question(model) if callable(one.question) else one.question
                         for one in batch]  # fmt: skip
            answers = model.answer(questions, max_tokens=batch[0].max_tokens, follow=follow)
        except Exception as error:
            if len(batch) == 1 or follow.began:
                for one in batch:
                    one.asked.set_exception(error)
                return
            # One question can be too long: the others are not to fail with it.
            for one in batch:
                self._answer([one])
            return
        for row, (one, answer) in enumerate(zip(batch, answers, strict=True)):
            one.asked.set_result(follow.ended(row, answer))

    def _next(self) -> list[_Waiting] | None:
        """What is answered together: the first that waits, and those of its length behind it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            batch = [self._waiting.popleft()]
            first = batch[0]
            while (
                self._waiting
                and len(batch) < self._most_together
                and self._waiting[0].max_tokens == first.max_tokens
                and self._waiting[0].model == first.model
            ):
                batch.append(self._waiting.popleft())
            return batch


class _Followed:
    """The answers of a batch while they are written, each cut before what it stops at."""

    def __init__(self, batch: Sequence[_Waiting]) -> None:
        self._batch = batch
        self._told = [0] * len(batch)
        self._stopped = [False] * len(batch)

    @property
    def began(self) -> bool:
        """Whether someone was told a part of an answer, which can't be taken back."""
        return any(self._told)

    def wrote(self, row: int, text: str) -> None:
        one = self._batch[row]
        whole, self._stopped[row] = _cut(text, one.stop)
        # The beginning of what it stops at may be the end of what is there.
        safe = whole if self._stopped[row] else whole[: len(whole) - _held_back(whole, one.stop)]
        self._tell(row, safe)

    def is_over(self, row: int) -> bool:
        return self._stopped[row] or self._batch[row].asked.dropped.is_set()

    def ended(self, row: int, answer: Answer) -> Answer:
        """The answer as it is given back."""
        whole, stopped = _cut(answer.text, self._batch[row].stop)
        self._tell(row, whole)
        return replace(answer, text=whole, finished=answer.finished or stopped)

    def _tell(self, row: int, text: str) -> None:
        new = text[self._told[row] :]
        if new:
            self._told[row] = len(text)
            if on_text := self._batch[row].on_text:
                on_text(new)


def _cut(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def _held_back(text: str, stops: Sequence[str]) -> int:
    lengths = [size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])]
    return max(lengths, default=0)

"""A local model that many ask at once: loaded once, in its own thread, behind a bounded queue."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from repo_tune_pipeline.errors import BusyError
from repo_tune_pipeline.models.asked import Asked, Followed, FollowedAnswerer, Waiting
from repo_tune_pipeline.models.freeing import give_memory_back
from repo_tune_pipeline.models.protocol import Question

MOST_TOGETHER = 8
"""Questions that are answered in one batch."""
_LOOK_SECONDS = 2.0
"""How often a model that nobody asks looks whether something else wants the device."""


Load = Callable[[], Mapping[str, FollowedAnswerer]]


class ModelQueue:
    """Answers in batches of what waits. The model is loaded with the first question; while
    `device_wanted`, for a training, it is freed after the batch under way, or within seconds where
    nobody asks; and at the end.

    Args:
        load: gives models by name, such as a base and, over the same weights, its adapter; called
            in the thread that answers.
        most_waiting: questions beyond it are turned away at once.
        most_together: in one batch.
        device_wanted: whether something else needs the memory that the model takes; asked in any
            thread.
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
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None

    @property
    def loaded(self) -> bool:
        return self._models is not None

    @property
    def at_work(self) -> bool:
        """Whether it was asked anything and hasn't ended."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many questions wait for their turn."""
        with self._changed:
            self._forget_dropped()
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
            BusyError: too many wait, a training holds the device, or the queue has ended. What
                waits may get it later, as its answer.
        """
        if self._device_wanted():
            raise _training_error()
        asked = Asked()
        with self._changed:
            if self._ending:
                raise _ended_error()
            self._forget_dropped()
            if len(self._waiting) >= self._most_waiting:
                wait = max(1.0, len(self._waiting) * self._seconds_each)
                raise BusyError(f"{len(self._waiting)} questions wait already.", wait)
            self._waiting.append(Waiting(question, model, max_tokens, tuple(stop), on_text, asked))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify()
        return asked

    def retire(self) -> None:
        """Take no more questions; what waits is answered, and then the model is freed."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def close(self) -> None:
        """Answer nothing more; what waits is told to ask again."""
        self.retire()
        self._turn_away(_ended_error)

    def wait_until_freed(self) -> None:
        """Return once a queue that was retired or closed holds no model any longer."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while self._wait():
            if self._device_wanted():
                self._turn_away(_training_error)
                self._free()
            else:
                self._answer_some()
        self._free()

    def _wait(self) -> bool:
        """Until a question waits or, with a model loaded, for a while; False: none can come."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._ending, _LOOK_SECONDS if self.loaded else None
            )
            return bool(self._waiting) or not self._ending

    def _answer_some(self) -> None:
        began = time.monotonic()
        asked = [one for one in self._next() if one.asked.set_running_or_notify_cancel()]
        if asked:
            self._answer(asked)
            self._seconds_each = (time.monotonic() - began) / len(asked)

    def _forget_dropped(self) -> None:
        """What nobody waits for any longer takes no place; called under the lock."""
        self._waiting = deque(one for one in self._waiting if not one.asked.cancelled())

    def _turn_away(self, why: Callable[[], BusyError]) -> None:
        with self._changed:
            waiting = [*self._waiting]
            self._waiting.clear()
        for one in waiting:
            if one.asked.set_running_or_notify_cancel():
                one.asked.set_exception(why())

    def _free(self) -> None:
        if self._models is not None:
            self._models = None
            give_memory_back()

    def _answer(self, batch: list[Waiting]) -> None:
        follow = Followed(batch)
        try:
            self._models = self._models or self._load()
            model = self._models[batch[0].model]
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

    def _next(self) -> list[Waiting]:
        """What is answered together: the first that waits, and those of its length behind it."""
        batch: list[Waiting] = []
        with self._changed:
            while (
                self._waiting
                and len(batch) < self._most_together
                and (not batch or self._waiting[0].goes_with(batch[0]))
            ):
                batch.append(self._waiting.popleft())
        return batch


def _training_error() -> BusyError:
    return BusyError("A training holds the device.", 60.0)


def _ended_error() -> BusyError:
    return BusyError("The model that was to answer isn't served any longer.", 1.0)

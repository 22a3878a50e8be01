"""A question that was asked of a local model, and its answer while it is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from repo_tune_pipeline.models.protocol import Answer, Follower, Question


class FollowedAnswerer(Protocol):
    """An answerer that can be watched while it writes."""

    def answer(
        self, prompts: Sequence[Question], *, max_tokens: int, follow: Follower | None = None
    ) -> list[Answer]: ...

    def has_room(self, prompt: Question, max_tokens: int) -> bool: ...


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
class Waiting:
    """A question that waits for its turn."""

    question: Question | Callable[[FollowedAnswerer], Question]
    model: str
    max_tokens: int
    stop: tuple[str, ...]
    on_text: Callable[[str], None] | None
    asked: Asked

    def goes_with(self, other: Waiting) -> bool:
        """Whether the two can be answered in one batch."""
        return (self.model, self.max_tokens) == (other.model, other.max_tokens)


class Followed:
    """The answers of a batch while they are written, each cut before what it stops at."""

    def __init__(self, batch: Sequence[Waiting]) -> None:
        self._batch = batch
        self._told = [0] * len(batch)
        self._stopped = [False] * len(batch)

    @property
    def began(self) -> bool:
        """Whether someone was told a part of an answer, which can't be taken back."""
        return any(self._told)

    def wrote(self, row: int, text: str) -> None:
        """The text of an answer so far."""
        one = self._batch[row]
        whole, self._stopped[row] = _cut(text, one.stop)
        # The beginning of what it stops at may be the end of what is there.
        safe = whole if self._stopped[row] else whole[: len(whole) - _held_back(whole, one.stop)]
        self._tell(row, safe)

    def is_over(self, row: int) -> bool:
        """Whether nobody needs more of an answer."""
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

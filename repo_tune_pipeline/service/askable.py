"""What is asked of a model, local or remote, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from repo_tune_pipeline.answering import ModelKind
from repo_tune_pipeline.models.asked import Asked
from repo_tune_pipeline.models.protocol import Question


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which model, and over what. `max_tokens` of 0 stands for what the configuration says."""

    kind: ModelKind
    variant: str = "main"
    repo: str = ""
    max_tokens: int = 0
    stop: tuple[str, ...] = ()


class Room(Protocol):
    """A model that knows how much it can read."""

    def has_room(self, prompt: Question, max_tokens: int) -> bool: ...


Made = Callable[[Any], Question]
"""Makes a question for the model, a Room; called in the thread that asks it."""


class Askable(Protocol):
    """A model of the service: a question gets an answer to come, and doesn't wait for it."""

    @property
    def name(self) -> str: ...

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked: ...

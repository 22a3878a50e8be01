"""What answers questions: a base model, an adapter or a remote one, behind one protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question: an instruction and, where it is about a text, that text."""

    instruction: str
    input: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns of (role, text); the role is `system`, `user` or `assistant`, the last one a user's."""

    turns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Completion:
    """A text to go on with; with `after`, a gap between the two to fill."""

    before: str
    after: str = ""


Question = Prompt | Conversation | Completion


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `finished` is False where it was cut at the limit of tokens.

    `refusal` says why there is no text, where a model or its provider gave none.
    """

    text: str
    prompt_tokens: int
    tokens: int
    finished: bool
    refusal: str = ""


class Follower(Protocol):
    """Who watches answers while they are written."""

    def wrote(self, row: int, text: str) -> None:
        """`text` is the whole of the answer so far, whole characters only."""
        ...

    def is_over(self, row: int) -> bool:
        """Whether nobody needs more of this answer."""
        ...


class Answerer(Protocol):
    """Anything that answers prompts: one question, one answer, in the order asked."""

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int) -> list[Answer]: ...

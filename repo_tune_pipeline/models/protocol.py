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
class Answer:
    """One answer. `finished` is False where it was cut at the limit of tokens.

    `refusal` says why there is no text, where a model or its provider gave none.
    """

    text: str
    prompt_tokens: int
    tokens: int
    finished: bool
    refusal: str = ""


class Answerer(Protocol):
    """Anything that answers prompts: one question, one answer, in the order asked."""

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int) -> list[Answer]: ...

"""What an adapter can recite: training text, word for word; and secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.secrets import holds_secret

TOKENS = 50
"""A continuation of so many tokens counts as recited (Carlini et al. 2023, arXiv:2202.07646)."""
ASKED = 32


class Model(Protocol):
    """A model that answers and says what a text's first tokens are."""

    def beginning(self, text: str, tokens: int) -> str | None: ...

    def has_room(self, prompt: Prompt, max_tokens: int) -> bool: ...

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class Recited:
    """Of `asked` texts, how many each model gave back for 50 tokens, and which both did."""

    asked: int
    base: int
    adapter: int
    by_adapter_alone: int

    def as_dict(self) -> dict[str, int]:
        return {
            "asked": self.asked,
            "base": self.base,
            "adapter": self.adapter,
            "by_adapter_alone": self.by_adapter_alone,
        }


def recited(models: Mapping[str, Model], examples: Iterable[SftExample]) -> Recited:
    """Ask for the continuation of up to 32 of the examples, each at least 50 tokens long.

    Args:
        models: `base` and `adapter`.
        examples: in the order in which they are to be taken.
    """
    reader = models["adapter"]
    chosen: list[tuple[Prompt, str]] = []
    for one in examples:
        start = reader.beginning(one.output, TOKENS)
        prompt = Prompt(one.instruction, one.input)
        if start is not None and reader.has_room(prompt, TOKENS):
            chosen.append((prompt, start))
        if len(chosen) == ASKED:
            break
    if not chosen:
        return Recited(0, 0, 0, 0)
    prompts = [prompt for prompt, _ in chosen]
    given = {
        name: [
            answer.text == start
            for answer, (_, start) in zip(
                model.answer(prompts, max_tokens=TOKENS), chosen, strict=True
            )
        ]
        for name, model in models.items()
    }
    alone = sum(
        adapter and not base for base, adapter in zip(given["base"], given["adapter"], strict=True)
    )
    return Recited(len(chosen), sum(given["base"]), sum(given["adapter"]), alone)


def memorisation(training: Recited, heldout: Recited, answers: Iterable[str]) -> dict[str, Any]:
    """`memorisation` of report.json; `secrets` counts the answers that hold one."""
    return {
        "tokens": TOKENS,
        "training": training.as_dict(),
        "heldout": heldout.as_dict(),
        "secrets": sum(map(holds_secret, answers)),
    }

"""Which held-out examples are scored, and for which a completion is generated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from repo_tune_pipeline.artifacts import digest_bytes
from repo_tune_pipeline.prompting import EncodedExample
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.settings import EvaluationSettings, VariantSettings

GENERATED_TASK = "code_completion"


class Reader(Protocol):
    """The part of a model that decides what it can read."""

    @property
    def context(self) -> int: ...

    def encode(self, example: SftExample) -> EncodedExample: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The examples of an evaluation; `seen` = scored + everything in `excluded`.

    `generated` are the ids of those for which a completion is generated too.
    """

    examples: tuple[SftExample, ...]
    generated: frozenset[str]
    seen: int
    excluded: dict[str, int]

    def counts(self) -> dict[str, object]:
        return {
            "seen": self.seen,
            "scored": len(self.examples),
            "generated": len(self.generated),
            "excluded": self.excluded,
        }


def select(
    heldout: Iterable[SftExample],
    *,
    filter: VariantSettings,
    settings: EvaluationSettings,
    reader: Reader,
) -> Selection:
    """Choose by the hash of the example's id: the same examples for every adapter and seed.

    The hash keeps the tasks' shares as they are, in expectation, and an example's place doesn't
    depend on which others are held out.
    """
    chosen: list[SftExample] = []
    generated: set[str] = set()
    excluded: Counter[str] = Counter()
    seen = 0
    for example in sorted(heldout, key=_place):
        seen += 1
        reason = _exclusion(example, filter)
        if not reason and len(chosen) == settings.max_examples:
            reason = "beyond max_examples"
        if reason:
            excluded[reason] += 1
            continue
        encoded = reader.encode(example)
        if len(encoded.prompt) + len(encoded.answer) > reader.context:
            excluded["longer than the model's context"] += 1
            continue
        chosen.append(example)
        if (
            example.meta.task == GENERATED_TASK
            and len(generated) < settings.max_generations
            and len(encoded.prompt) + settings.max_new_tokens <= reader.context
        ):
            generated.add(example.meta.id)
    return Selection(tuple(chosen), frozenset(generated), seen, dict(sorted(excluded.items())))


def matches(example: SftExample, filter: VariantSettings) -> bool:
    """Whether an example is one of the variant's; an empty filter takes all."""
    return (
        (not filter.repositories or example.meta.repo in filter.repositories)
        and (not filter.languages or example.meta.language in filter.languages)
        and (not filter.tasks or example.meta.task in filter.tasks)
    )


def _place(example: SftExample) -> tuple[str, str]:
    return digest_bytes(example.meta.id.encode()), example.meta.id


def _exclusion(example: SftExample, filter: VariantSettings) -> str:
    if not matches(example, filter):
        return "not of this variant"
    return "" if example.output else "empty reference"

"""Which held-out examples are scored, and for which an answer is generated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from repo_tune_pipeline.artifacts import digest_bytes
from repo_tune_pipeline.prompting import EncodedExample
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.settings import EvaluationSettings, VariantSettings

FIRST_TASK = "code_completion"
"""Its answers are code alone; every second answer is one of these, while there are."""


class Reader(Protocol):
    """The part of a model that decides what it can read."""

    @property
    def context(self) -> int: ...

    def encode(self, example: SftExample) -> EncodedExample: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """The examples of an evaluation; `seen` = scored + everything in `excluded`.

    `generated` are the ids of those for which an answer is generated too.
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
    depend on which others are held out. Answers are generated for all tasks in turn, so that each
    is measured; where the room allows it, for all.
    """
    chosen: list[SftExample] = []
    answerable: list[SftExample] = []
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
        if len(encoded.prompt) + settings.max_new_tokens <= reader.context:
            answerable.append(example)
    generated = _in_turn(answerable, settings.max_generations)
    return Selection(tuple(chosen), frozenset(generated), seen, dict(sorted(excluded.items())))


def matches(example: SftExample, filter: VariantSettings) -> bool:
    """Whether an example is one of the variant's; an empty filter takes all."""
    return (
        (not filter.repositories or example.meta.repo in filter.repositories)
        and (not filter.languages or example.meta.language in filter.languages)
        and (not filter.tasks or example.meta.task in filter.tasks)
    )


def by_hash(examples: Iterable[SftExample]) -> list[SftExample]:
    """In an order that says nothing: that of a hash of their ids."""
    return sorted(examples, key=_place)


def _in_turn(examples: Sequence[SftExample], limit: int) -> list[str]:
    first = (one for one in examples if one.meta.task == FIRST_TASK)
    others = _one_of_each([one for one in examples if one.meta.task != FIRST_TASK])
    taken: list[str] = []
    while len(taken) < limit:
        pair = [one for one in (next(first, None), next(others, None)) if one is not None]
        if not pair:
            break
        taken += [one.meta.id for one in pair]
    return taken[:limit]


def _one_of_each(examples: Sequence[SftExample]) -> Iterator[SftExample]:
    """The tasks in turn, each one's examples in their order."""
    queues = {task: [] for task in sorted({one.meta.task for one in examples})}
    for one in examples:
        queues[one.meta.task].append(one)
    rounds = max((len(queue) for queue in queues.values()), default=0)
    for at in range(rounds):
        yield from (queue[at] for queue in queues.values() if at < len(queue))


def _place(example: SftExample) -> tuple[str, str]:
    return digest_bytes(example.meta.id.encode()), example.meta.id


def _exclusion(example: SftExample, filter: VariantSettings) -> str:
    if not matches(example, filter):
        return "not of this variant"
    return "" if example.output else "empty reference"

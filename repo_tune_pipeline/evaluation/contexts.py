"""What a model is given beside a question: nothing, or what a search finds for it.

The index holds the held-out files too, as it does when it serves. There a search finds what stands
beside a question, never its answer; so an example's own file is left out here, unless a place in it
is what is asked for, and so is a passage anywhere that holds the whole answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from repo_tune_pipeline.models.grounded import fitting_passages, grounded_prompt, title
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.prompting import user_text
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.retrieval import Hit

_ASKS_FOR_A_PLACE = frozenset({"code_location", "repo_overview"})
_TELLING_CHARS = 40
"""A shorter answer, such as ``return None``, stands in many files and gives nothing away."""
_BLANKS = re.compile(r"\s+")


class Reader(Protocol):
    """The part of a model that says what it has room for."""

    def count_tokens(self, text: str) -> int: ...

    def has_room(self, prompt: Prompt, max_tokens: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Context:
    """By an example's id: its input with what it is given, and the sources of that.

    An example without an entry is asked as it is. `counts` say how many were given something, and
    what was left out.
    """

    inputs: dict[str, str] = field(default_factory=dict[str, str])
    titles: dict[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def input(self, example: SftExample) -> str:
        return self.inputs.get(example.meta.id, example.input)

    def sources(self, example: SftExample) -> tuple[str, ...]:
        return self.titles.get(example.meta.id, ())


NOTHING = Context()


def retrieved(
    examples: Sequence[SftExample],
    find: Callable[[str], Sequence[Hit]],
    reader: Reader,
    *,
    limit: int,
    max_tokens: int,
) -> Context:
    """Each example with the passages that a search finds for its question, as serving shows them.

    Args:
        examples: what is asked.
        find: the search, for a question's words: more hits than `limit`, since some are left out.
        reader: of the model; there has to be room for the answer, and for the reference.
        limit: how many passages at most.
        max_tokens: of an answer.
    """
    found, counts = Context(), Counter[str]()
    for example in examples:
        room = max(max_tokens, reader.count_tokens(example.output) + 8)
        hits = find(user_text(example.instruction, example.input))
        allowed = _allowed(example, hits)
        counts["passages_left_out"] += len(hits) - len(allowed)
        passages = fitting_passages(
            allowed[:limit],
            lambda input, one=example, least=room: reader.has_room(
                Prompt(one.instruction, input), least
            ),
            example.input,
        )
        counts["examples_with_passages" if passages else "examples_without"] += 1
        if passages:
            asked = grounded_prompt(example.instruction, passages, example.input)
            found.inputs[example.meta.id] = asked.input
            found.titles[example.meta.id] = tuple(title(hit) for hit, _ in passages)
    found.counts.update(sorted(counts.items()))
    return found


def _allowed(example: SftExample, hits: Sequence[Hit]) -> list[Hit]:
    """The hits that give nothing away."""
    if example.meta.task in _ASKS_FOR_A_PLACE:
        return list(hits)
    answer = _BLANKS.sub("", example.output)
    return [
        hit
        for hit in hits
        if (hit.repo, hit.path) != (example.meta.repo, example.meta.path)
        and not (len(answer) >= _TELLING_CHARS and answer in _BLANKS.sub("", hit.source))
    ]

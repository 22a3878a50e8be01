"""An answer over retrieved code, with the sources that it was given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.models.inert import inert
from repo_tune_pipeline.models.protocol import Answer, Answerer, Prompt
from repo_tune_pipeline.prompting import grounded_input
from repo_tune_pipeline.retrieval import Hit

NOTHING_FOUND = (
    "Nothing in the ingested repositories matches this question, so it wasn't put to the model. "
    "Name a function, a type or a file, or ingest the repository that it is about."
)
_SHORTEST_LINES = 3
"""Of a passage that is cut to fit; less tells nothing."""


@dataclass(frozen=True, slots=True)
class GroundedAnswer:
    """`text` is Markdown without active links or images; `sources` are what the model read, best
    first. `asked` is False where nothing was found and no model was asked.
    """

    text: str
    sources: tuple[Hit, ...]
    asked: bool
    finished: bool
    prompt_tokens: int
    tokens: int
    seconds: float


def answer_grounded(
    question: str,
    *,
    answerer: Answerer,
    find: Callable[[str], Sequence[Hit]],
    room: Callable[[str], bool],
    max_tokens: int,
) -> GroundedAnswer:
    """Ask about what a search finds.

    Args:
        question: in the asker's words.
        answerer: any model.
        find: the search.
        room: whether an input of that text leaves room for the answer in what the model reads.
        max_tokens: of the answer, at most.

    Raises:
        ConfigError, ModelServerError, UsageError: from the answerer.
    """
    began = time.monotonic()
    hits = find(question)
    if not hits:
        return nothing_found(time.monotonic() - began)
    passages = passages_for(hits, room)
    prompt = grounded_prompt(question, passages)
    (answer,) = answerer.answer([prompt], max_tokens=max_tokens)
    return read_answer(answer, passages, time.monotonic() - began)


def nothing_found(seconds: float) -> GroundedAnswer:
    """The answer where no model was asked."""
    return GroundedAnswer(NOTHING_FOUND, (), False, True, 0, 0, seconds)


def passages_for(hits: Sequence[Hit], room: Callable[[str], bool]) -> list[tuple[Hit, str]]:
    """What the model reads of `hits` below a question.

    Raises:
        UsageError: beside the question there is no room for any.
    """
    passages = fitting_passages(hits, room)
    if not passages:
        raise UsageError(
            "The question leaves no room in what the model reads for what was found.",
            "Ask with fewer words, or for a shorter answer.",
        )
    return passages


def read_answer(
    answer: Answer, passages: Sequence[tuple[Hit, str]], seconds: float
) -> GroundedAnswer:
    """A model's answer over these passages as it is shown."""
    return GroundedAnswer(
        text=answer.refusal or inert(answer.text),
        sources=tuple(hit for hit, _ in passages),
        asked=True,
        finished=answer.finished,
        prompt_tokens=answer.prompt_tokens,
        tokens=answer.tokens,
        seconds=seconds,
    )


def grounded_prompt(
    instruction: str, passages: Sequence[tuple[Hit, str]], input: str = ""
) -> Prompt:
    """A question with passages below it, as evaluation and serving ask it."""
    titled = [(title(hit), text) for hit, text in passages]
    return Prompt(instruction, grounded_input(input, titled))


def fitting_passages(
    hits: Sequence[Hit], room: Callable[[str], bool], input: str = ""
) -> list[tuple[Hit, str]]:
    """The hits' texts, best first, as many as fit; the last one is cut between lines."""
    taken: list[tuple[Hit, str]] = []

    def fits(more: tuple[Hit, str]) -> bool:
        return room(grounded_input(input, [(title(hit), text) for hit, text in [*taken, more]]))

    for hit in hits:
        if fits((hit, hit.source)):
            taken.append((hit, hit.source))
            continue
        lines = hit.source.split("\n")
        low, high = 0, len(lines) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if fits((hit, "\n".join(lines[:middle]))):
                low = middle
            else:
                high = middle - 1
        if low >= _SHORTEST_LINES:
            taken.append((hit, "\n".join(lines[:low])))
        break
    return taken


def title(hit: Hit) -> str:
    """A source as a person cites it."""
    symbol = f" {hit.symbol}" if hit.symbol else ""
    return f"{hit.repo} {hit.path}:{hit.start_line}-{hit.end_line}{symbol}"

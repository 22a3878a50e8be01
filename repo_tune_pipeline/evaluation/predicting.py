"""Asking every model every question: scores, answers, and how close the answers come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from repo_tune_pipeline.errors import EvaluationError
from repo_tune_pipeline.evaluation.bootstrap import Terms
from repo_tune_pipeline.evaluation.cells import ADAPTER, Cell
from repo_tune_pipeline.evaluation.contexts import Context
from repo_tune_pipeline.evaluation.measures import Reference, Vocabulary, judge, reference_of
from repo_tune_pipeline.evaluation.predictions import Outcome, Prediction
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import SftExample

Report = Callable[[str, int, int], None]
"""Called with what is under way, how many are done, of how many."""


class Scored(Protocol):
    """-ln p(answer | prompt) in nats over `tokens` tokens."""

    @property
    def nats(self) -> float: ...

    @property
    def tokens(self) -> int: ...


class Model(Protocol):
    """An answerer that can also score a given answer."""

    def score(
        self, examples: Sequence[SftExample], *, progress: Callable[[int, int], None] | None = None
    ) -> Sequence[Scored]: ...

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Answer]: ...


@dataclass(slots=True)
class Timing:
    """Seconds that a cell took, for how many examples, answers and tokens of answers."""

    scored: int = 0
    scoring_seconds: float = 0.0
    answers: int = 0
    answer_tokens: int = 0
    answering_seconds: float = 0.0


@dataclass(frozen=True)
class Questions:
    """What is asked: the examples, what each is given, and by what the answers are judged.

    `vocabularies` are by repository; `count_tokens` counts those of plain text.
    """

    selection: Selection
    contexts: Mapping[str, Context]
    vocabularies: Mapping[str, Vocabulary]
    max_new_tokens: int
    count_tokens: Callable[[str], int]

    @property
    def generated(self) -> list[SftExample]:
        chosen = self.selection.generated
        return [one for one in self.selection.examples if one.meta.id in chosen]

    def references(self) -> dict[str, Reference]:
        """By the id of each example that is answered."""
        return {
            one.meta.id: reference_of(one, self.max_new_tokens, self.count_tokens)
            for one in self.generated
        }


@dataclass
class Predicted:
    """Every prediction, and what each cell took."""

    predictions: list[Prediction]
    timings: dict[Cell, Timing] = field(default_factory=dict[Cell, Timing])


def predict(
    models: Mapping[Cell, Model],
    questions: Questions,
    report: Report,
    *,
    at_once: Callable[[], None] | None = None,
) -> Predicted:
    """Score every selected example in each cell, and answer where the selection says so.

    Args:
        models: what each cell asks.
        questions: what they are asked.
        report: called as the work goes on.
        at_once: where given, different models are asked at the same time, each in a thread that
            calls this first.

    Raises:
        EvaluationError: a model's probabilities aren't numbers, as after a training that diverged.
    """
    references = questions.references()
    groups: dict[int, list[Cell]] = {}
    for cell, model in models.items():
        groups.setdefault(id(model), []).append(cell)

    def ask(cells: list[Cell]) -> list[_Asked]:
        return [_ask(cell, models[cell], questions, references, report) for cell in cells]

    if at_once is None:
        done = [ask(cells) for cells in groups.values()]
    else:
        with ThreadPoolExecutor(len(groups), initializer=at_once) as pool:
            done = list(pool.map(ask, groups.values()))
    asked = {one.cell: one for some in done for one in some}
    predictions = [
        Prediction(
            one,
            {cell: asked[cell].outcomes[one.meta.id] for cell in models},
            references.get(one.meta.id),
            tuple(title for given in questions.contexts.values() for title in given.sources(one)),
        )
        for one in questions.selection.examples
    ]
    return Predicted(predictions, {cell: asked[cell].timing for cell in models})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of one cell: outcomes by the example's id, and what it took."""

    cell: Cell
    outcomes: dict[str, Outcome]
    timing: Timing


def _ask(
    cell: Cell,
    model: Model,
    questions: Questions,
    references: Mapping[str, Reference],
    report: Report,
) -> _Asked:
    timing = Timing()
    scores = _scores(cell, model, questions, timing, report)
    answers = _answers(cell, model, questions, timing, report)
    outcomes: dict[str, Outcome] = {}
    for one in questions.selection.examples:
        terms, answer = _scored_terms(one, scores[one.meta.id]), answers.get(one.meta.id)
        if answer is not None:
            terms |= judged(one, answer, references[one.meta.id], questions)
        outcomes[one.meta.id] = Outcome(terms, answer)
    return _Asked(cell, outcomes, timing)


def judged(
    example: SftExample, answer: Answer, reference: Reference, questions: Questions
) -> dict[str, Terms]:
    """The terms of one answer, by metric."""
    return judge(example, answer.text, reference, questions.vocabularies.get(example.meta.repo))


def _scores(
    cell: Cell, model: Model, questions: Questions, timing: Timing, report: Report
) -> dict[str, Scored]:
    given, examples = questions.contexts[cell.context], questions.selection.examples
    began = time.monotonic()
    shown = [replace(one, input=given.input(one)) for one in examples]
    scores = model.score(shown, progress=_named(report, f"{cell.title}: scoring"))
    timing.scored, timing.scoring_seconds = len(shown), time.monotonic() - began
    if not all(math.isfinite(score.nats) for score in scores):
        raise EvaluationError(
            f"The {cell.model} gives probabilities that aren't numbers: its weights are broken.",
            "Train again with a lower learning_rate." if cell.model == ADAPTER else "",
        )
    return {one.meta.id: score for one, score in zip(examples, scores, strict=True)}


def _answers(
    cell: Cell, model: Model, questions: Questions, timing: Timing, report: Report
) -> dict[str, Answer]:
    given, asked = questions.contexts[cell.context], questions.generated
    began = time.monotonic()
    prompts = [Prompt(one.instruction, given.input(one)) for one in asked]
    answers = model.answer(
        prompts,
        max_tokens=questions.max_new_tokens,
        progress=_named(report, f"{cell.title}: answering"),
    )
    timing.answers, timing.answering_seconds = len(answers), time.monotonic() - began
    timing.answer_tokens = sum(answer.tokens for answer in answers)
    return {one.meta.id: answer for one, answer in zip(asked, answers, strict=True)}


def _scored_terms(example: SftExample, score: Scored) -> dict[str, Terms]:
    return {
        "bits_per_byte": (score.nats / math.log(2), float(len(example.output.encode()))),
        "loss": (score.nats, float(score.tokens)),
    }


def _named(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(what, done, total)

"""What base and adapter made of each held-out example."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from repo_tune_pipeline.errors import EvaluationError
from repo_tune_pipeline.evaluation.completions import Judged, judge, window_lines
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import SftExample

CELLS = ("base", "adapter")

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

    def count_tokens(self, text: str) -> int: ...

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


@dataclass(frozen=True, slots=True)
class Prediction:
    """One example in every cell.

    `nats` are of the whole reference with its end of turn, `tokens` counts both, `bytes` is the
    reference's length in UTF-8. `judged` is empty where no completion was generated; `lines` is
    then 0, and otherwise the number of lines compared.
    """

    example: SftExample
    bytes: int
    tokens: int
    nats: dict[str, float]
    judged: dict[str, Judged]
    lines: int

    @property
    def file(self) -> tuple[str, str]:
        """Repository and path: examples of one file aren't independent of one another."""
        return self.example.meta.repo, self.example.meta.path

    def as_line(self) -> bytes:
        """One line of `predictions.jsonl`."""
        meta = self.example.meta
        value: dict[str, object] = {
            "id": meta.id,
            "task": meta.task,
            "repo": meta.repo,
            "commit": meta.commit,
            "path": meta.path,
            "start_line": meta.start_line,
            "end_line": meta.end_line,
            "bytes": self.bytes,
            "tokens": self.tokens,
            "nats": self.nats,
        }
        if self.judged:
            value["lines_compared"] = self.lines
            value["completions"] = {
                cell: {
                    "text": judged.text,
                    "finished": judged.finished,
                    "exact_match": judged.exact,
                    "edit_similarity": judged.similarity,
                }
                for cell, judged in self.judged.items()
            }
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def predict(
    models: dict[str, Model], selection: Selection, *, max_new_tokens: int, report: Report
) -> list[Prediction]:
    """Score every selected example in each cell, and generate where the selection says so.

    Args:
        models: one for each of `CELLS`.

    Raises:
        EvaluationError: a model's probabilities aren't numbers, as after a training that diverged.
    """
    examples = selection.examples
    asked = [one for one in examples if one.meta.id in selection.generated]
    prompts = [Prompt(one.instruction, one.input) for one in asked]
    nats: dict[str, Sequence[Scored]] = {}
    answers: dict[str, dict[str, Answer]] = {}
    for cell, model in models.items():
        nats[cell] = model.score(examples, progress=_named(report, f"{cell}: scoring"))
        _check_finite(cell, nats[cell])
        made = model.answer(
            prompts, max_tokens=max_new_tokens, progress=_named(report, f"{cell}: completing")
        )
        answers[cell] = {one.meta.id: answer for one, answer in zip(asked, made, strict=True)}
    count = next(iter(models.values())).count_tokens
    found: list[Prediction] = []
    for at, example in enumerate(examples):
        generated = example.meta.id in selection.generated
        lines = window_lines(example.output, max_new_tokens, count) if generated else 0
        found.append(
            Prediction(
                example,
                len(example.output.encode()),
                nats["base"][at].tokens,
                {cell: nats[cell][at].nats for cell in models},
                {
                    cell: judge(answers[cell][example.meta.id], example.output, lines)
                    for cell in models
                    if generated
                },
                lines,
            )
        )
    return found


def _check_finite(cell: str, scores: Sequence[Scored]) -> None:
    if not all(math.isfinite(score.nats) for score in scores):
        raise EvaluationError(
            f"The {cell} gives probabilities that aren't numbers: its weights are broken.",
            "Train again with a lower learning_rate." if cell == "adapter" else "",
        )


def _named(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(what, done, total)

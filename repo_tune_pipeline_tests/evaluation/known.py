"""Models whose score is known before they are asked."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from repo_tune_pipeline.evaluation.bootstrap import Terms
from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN, Cell
from repo_tune_pipeline.evaluation.contexts import NOTHING
from repo_tune_pipeline.evaluation.predicting import Questions, predict
from repo_tune_pipeline.evaluation.predictions import Outcome, Prediction
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import SftExample

PARITY = {
    "prompts": 32,
    "trained_to_reloaded": 0.0001,
    "served_to_merged": 0.0,
    "tolerance": 0.01,
    "answers_alike": 32,
    "agree": True,
}
"""As measured where served equals trained."""


@dataclass(frozen=True)
class Nats:
    nats: float
    tokens: int


@dataclass(frozen=True)
class Known:
    """Answers by a rule; `bits` says how many bits per byte it needs of a reference."""

    rule: Callable[[Prompt], str]
    bits: Callable[[SftExample], float] = lambda example: 2.0

    def score(self, examples: Sequence[SftExample], *, progress=None) -> list[Nats]:
        return [
            Nats(self.bits(one) * len(one.output.encode()) * 0.6931471805599453, 10)
            for one in examples
        ]

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int, progress=None) -> list[Answer]:
        return [Answer(self.rule(prompt), 10, 10, finished=True) for prompt in prompts]


def knows_all(examples: Sequence[SftExample]) -> Known:
    by_question = {(one.instruction, one.input): one.output for one in examples}
    return Known(lambda prompt: by_question[prompt.instruction, prompt.input])


def copies() -> Known:
    return Known(lambda prompt: prompt.input)


def guesses(seed: int) -> Known:
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz_ ()\n"
    return Known(lambda prompt: "".join(rng.choices(letters, k=120)))


def asked(models: dict[Cell, Known], examples: Sequence[SftExample]) -> list[Prediction]:
    selection = Selection(
        tuple(examples), frozenset(one.meta.id for one in examples), len(examples), {}
    )
    questions = Questions(
        selection, {"plain": NOTHING, "retrieval": NOTHING}, {}, 100, lambda text: len(text.split())
    )
    return predict(models, questions, lambda *_: None).predictions


def prediction(example: SftExample, base: float, adapter: float, **others: float) -> Prediction:
    """Bits per byte in the plain cells, without answers."""

    def outcome(bits: float) -> Outcome:
        terms: dict[str, Terms] = {"bits_per_byte": (bits * 100, 100.0), "loss": (bits * 70, 25.0)}
        return Outcome(terms)

    cells = {BASE_PLAIN: outcome(base), ADAPTER_PLAIN: outcome(adapter)}
    cells |= {Cell(name, "plain"): outcome(bits) for name, bits in others.items()}
    return Prediction(example, cells)

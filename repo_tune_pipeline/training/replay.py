"""Replay: a share of general code and prose among the examples, against forgetting.

A model that is trained on one kind of text loses others; a few percent of what it knew, trained
beside it, keep it (Ibrahim et al. 2024, "Simple and Scalable Strategies to Continually Pre-train
Large Language Models", arXiv:2403.08763: 5 % for a weak shift of the data, more for a strong one).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from repo_tune_pipeline.elsewhere import Text, descriptions, library_code, package_code
from repo_tune_pipeline.training.examples import TrainingExample

T = TypeVar("T")

STARTER_SHARE = 0.8
"""Measured: README, "Does it work?". Three million parameters forget fast."""
SHARE = 0.05
_SHOWN_LINES, _HIDDEN_LINES = 4, 18
_SHOWN_CHARS, _HIDDEN_CHARS = 150, 700
"""Short ones: a step costs what its longest example does."""
_LEAST = 100
_FILES = 4
"""Of a distribution: many projects teach more of what code looks like than one large one."""


def replay_share(wanted: float | None, base: str) -> float:
    """Replayed examples for each of the team's own: as wanted, else what suits the base model."""
    if wanted is not None:
        return wanted
    return STARTER_SHARE if base == "starter" else SHARE


def replay_of(examples: Sequence[TrainingExample], count: int) -> list[TrainingExample]:
    """Completions of code and of prose, two to one, since prose is forgotten more slowly; the same
    wherever the same is installed.

    Args:
        examples: what is learned; nothing is taken of their repositories.
        count: how many, or as many as there are.
    """
    without = sorted({example.repo for example in examples})
    packages = package_code(judged=False, files=_FILES, without=without)
    prose = descriptions(judged=False, without=without)
    mixed = _in_turn(
        _cut_in_turn(_in_turn(library_code(without), packages), _of_code),
        _cut_in_turn(prose, _of_prose),
        2,
    )
    return list(islice(mixed, count))


def _in_turn(first: Iterable[T], second: Iterable[T], of_first: int = 1) -> Iterator[T]:
    """`of_first` of the first and one of the second, then the rest of the longer one."""
    some, one = iter(first), iter(second)
    while taken := [*islice(some, of_first), *islice(one, 1)]:
        yield from taken


def _cut_in_turn(
    texts: Iterable[Text], cut: Callable[[Text], Iterator[TrainingExample]]
) -> Iterator[TrainingExample]:
    """A slice of each text, then a second one of each: no more texts are read than are needed."""
    all_slices: list[list[TrainingExample]] = []
    for text in texts:
        slices = sorted(cut(text), key=lambda one: hashlib.sha256(one.line).digest())
        yield from slices[:1]
        all_slices.append(slices)
    for turn in range(1, max(map(len, all_slices), default=0)):
        yield from (slices[turn] for slices in all_slices if turn < len(slices))


def _of_code(text: Text) -> Iterator[TrainingExample]:
    lines = text.text.split("\n")
    size = _SHOWN_LINES + _HIDDEN_LINES
    instruction = f"Continue this Python code from {text.path} in {text.project}:"
    for start in range(0, len(lines), size):
        shown = "\n".join(lines[start : start + _SHOWN_LINES]) + "\n"
        hidden = "\n".join(lines[start + _SHOWN_LINES : start + size])[:_HIDDEN_CHARS]
        if len(hidden.strip()) >= _LEAST:
            yield _example(text, instruction, shown, hidden, start + 1)


def _of_prose(text: Text) -> Iterator[TrainingExample]:
    size = _SHOWN_CHARS + _HIDDEN_CHARS
    for start in range(0, len(text.text), size):
        shown = text.text[start : start + _SHOWN_CHARS]
        hidden = text.text[start + _SHOWN_CHARS : start + size]
        if len(hidden.strip()) >= _LEAST:
            line = text.text.count("\n", 0, start) + 1
            yield _example(text, f"Continue this text about {text.project}:", shown, hidden, line)


def _example(
    text: Text, instruction: str, shown: str, hidden: str, first_line: int
) -> TrainingExample:
    last_line = first_line + shown.count("\n") + hidden.count("\n")
    place = f"{text.path}:{first_line}-{last_line}"
    return TrainingExample(instruction, shown, hidden, text.project, "", place)

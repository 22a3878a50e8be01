"""The examples that one variant learns from: filtered, and for the control run mislabelled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.settings import VariantSettings

EXAMPLES_FILE = "sft.jsonl"
_BYTES_PER_TOKEN = 3.2
"""Of source code under the byte-level tokenizers of the models that this project names; about."""
PACKED_SHARE = 0.95
"""Of a packed row that is examples; 0.99 was measured with 1,600 short ones."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """What the trainer reads of an example, and where it is from.

    `place` is its path and lines: ``src/queue.py:3-17``.
    """

    instruction: str
    input: str
    output: str
    repo: str
    commit: str
    place: str = ""

    @property
    def line(self) -> bytes:
        """One line of the trainer's data file."""
        fields = {"instruction": self.instruction, "input": self.input, "output": self.output}
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def select_examples(
    dataset: Path, variant: str, filter: VariantSettings, *, shuffle_labels: bool = False
) -> list[TrainingExample]:
    """The training examples of `dataset` that pass `filter`, in the data set's order.

    Raises:
        EmptyInputError: none passes, or labels are to be shuffled and there is only one.
        StorageError: the data set can't be read.
    """
    examples = [_example(row) for row in _rows(dataset / EXAMPLES_FILE) if _passes(row, filter)]
    if len(examples) < 1 + shuffle_labels:
        raise EmptyInputError(
            f"Variant {variant}: {len(examples)} of the examples in {dataset / EXAMPLES_FILE} "
            "pass its filter.",
            "Widen its `repositories`, `languages` or `tasks`, or ingest more.",
        )
    return mislabelled(examples) if shuffle_labels else examples


def about_tokens(examples: Sequence[TrainingExample], longest: int) -> int:
    """How many tokens they have, none with more than `longest`: by their bytes, so about."""
    return round(sum(min(len(one.line) / _BYTES_PER_TOKEN, longest) for one in examples))


def mislabelled(examples: list[TrainingExample]) -> list[TrainingExample]:
    """Give every example the answer of another one, across tasks and repositories.

    The examples are ordered by a hash and each takes the next one's answer: one cycle, so that
    none keeps its own, the same on every machine.
    """
    order = sorted(range(len(examples)), key=lambda index: _hash(index, examples[index]))
    shuffled = list(examples)
    for here, following in zip(order, [*order[1:], order[0]], strict=True):
        shuffled[here] = replace(examples[here], output=examples[following].output)
    return shuffled


def _hash(index: int, example: TrainingExample) -> bytes:
    return hashlib.sha256(b"%d\n" % index + example.line).digest()


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    try:
        with file.open("rb") as stream:
            for line in stream:
                yield orjson.loads(line)
    except (OSError, orjson.JSONDecodeError) as error:
        raise StorageError(
            f"{file} can't be read: {error}.", "Make the data set again: `repo-tune generate-data`."
        ) from None


def _passes(row: dict[str, Any], filter: VariantSettings) -> bool:
    meta = row["meta"]
    wanted = (
        (filter.repositories, "repo"),
        (filter.languages, "language"),
        (filter.tasks, "task"),
    )
    return all(not names or meta[field] in names for names, field in wanted)


def _example(row: dict[str, Any]) -> TrainingExample:
    meta = row["meta"]
    return TrainingExample(
        row["instruction"],
        row["input"],
        row["output"],
        meta["repo"],
        meta["commit"],
        f"{meta['path']}:{meta['start_line']}-{meta['end_line']}",
    )

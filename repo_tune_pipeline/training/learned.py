"""Which examples and files a version learned from, as digests: what it may not be judged on.

What it was offered counts as learned, also where the last step came before it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from repo_tune_pipeline.artifacts import read_json, write_json
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.training.examples import TrainingExample

LEARNED_FILE = "learned.json"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Learned:
    """Digests of a version's training examples, of their files, and of the examples it read."""

    examples: frozenset[str]
    files: frozenset[str]
    read: frozenset[str]

    def knows(self, example: SftExample) -> bool:
        """Whether the example, or one of its file, was learned."""
        file = _digest(example.meta.repo, example.meta.path)
        text = _digest(example.instruction, example.input, example.output)
        return file in self.files or text in self.examples

    def has(self, example: TrainingExample) -> bool:
        """Whether this very example was learned."""
        return _digest(example.instruction, example.input, example.output) in self.examples

    def has_read(self, example: SftExample) -> bool:
        """Whether this very example was put before the trainer."""
        return _digest(example.instruction, example.input, example.output) in self.read


def write_learned(
    file: Path, examples: Iterable[TrainingExample], read: Iterable[TrainingExample] | None = None
) -> None:
    """Write `{examples: […], files: […], read: […]}`, each 64 bits of SHA-256 in hexadecimal.

    Args:
        file: to be written.
        examples: what was offered.
        read: what the trainer had time for; None means all of it.
    """
    learned = list(examples)
    write_json(
        file,
        {
            "examples": sorted({_digest(e.instruction, e.input, e.output) for e in learned}),
            "files": sorted({_digest(e.repo, e.place.rpartition(":")[0]) for e in learned}),
            "read": sorted(
                _digest(e.instruction, e.input, e.output)
                for e in (learned if read is None else read)
            ),
        },
    )


def read_learned(adapter: Path) -> Learned | None:
    """What `write_learned` left in an adapter's folder; None for one that has no such file."""
    try:
        told = read_json(adapter / LEARNED_FILE)
    except StorageError:
        return None
    examples = told.get("examples")
    return Learned(_names(examples), _names(told.get("files")), _names(told.get("read", examples)))


def _names(value: object) -> frozenset[str]:
    return (
        frozenset(map(str, cast("list[object]", value))) if isinstance(value, list) else frozenset()
    )


def _digest(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:_DIGITS]

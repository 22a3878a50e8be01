"""A second look at a written dataset: does one side leak into the other, and is a secret left?

It reads the files as they are and measures with code of its own, which shares nothing with the
selection that made them but the definition of a token (a run of ASCII letters, digits,
underscores and characters above U+007F, or any other visible ASCII character by itself).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.sft.audit_index import EvaluationIndex
from repo_tune_pipeline.sft.shown import shown_code

TRAIN = "sft.jsonl"
EVALUATION = ("heldout.jsonl", "heldout_recent.jsonl")
_BATCH = 1_000
_NAMED = 5


@dataclass(slots=True)
class Finding:
    """How often something was found that must not be, and the first few places.

    A place is a repository and path for a file, an example's id for a secret, else the ids of an
    example of train and of one of the evaluation side.
    """

    count: int = 0
    first: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def add(self, *place: str) -> None:
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(place)


@dataclass(slots=True)
class Audit:
    """What was measured; `near_copies` and `shared_windows` count examples of train."""

    examples: dict[str, int] = field(default_factory=dict[str, int])
    files_on_two_sides: Finding = field(default_factory=Finding)
    near_copies: Finding = field(default_factory=Finding)
    shared_windows: Finding = field(default_factory=Finding)
    secrets: Finding = field(default_factory=Finding)

    @property
    def findings(self) -> dict[str, Finding]:
        return {
            "files_on_two_sides": self.files_on_two_sides,
            "near_copies": self.near_copies,
            "shared_windows": self.shared_windows,
            "secrets": self.secrets,
        }

    @property
    def clean(self) -> bool:
        return not any(finding.count for finding in self.findings.values())


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    file: tuple[str, str]
    code: str
    secret: bool


def audit(folder: Path, *, near_duplicate: float) -> Audit:
    """Measure the three files of examples in `folder`.

    Train is streamed; the evaluation side is held in memory.

    Raises:
        StorageError: a file is missing, or a line isn't an example; names the line.
    """
    result = Audit()
    held = [row for name in EVALUATION for row in _counted(_rows(folder / name), name, result)]
    index = EvaluationIndex([row.code for row in held], near_duplicate)
    held_files = {row.file for row in held}
    seen: set[tuple[str, str]] = set()
    rows = _counted(_rows(folder / TRAIN), TRAIN, result)
    while batch := list(islice(rows, _BATCH)):
        for file in {row.file: None for row in batch}:
            if file in held_files and file not in seen:
                seen.add(file)
                result.files_on_two_sides.add(*file)
        matches = index.matches([row.code for row in batch])
        for asked, other in matches.near_copies:
            result.near_copies.add(batch[asked].id, held[other].id)
        for asked, other in matches.shared_windows:
            result.shared_windows.add(batch[asked].id, held[other].id)
    return result


def _counted(rows: Iterator[_Row], name: str, result: Audit) -> Iterator[_Row]:
    result.examples[name] = 0
    for row in rows:
        result.examples[name] += 1
        if row.secret:
            result.secrets.add(row.id)
        yield row


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield _row(line, path, number)
    except OSError as error:
        raise StorageError(
            f"{path} can't be read: {error.strerror}.", "Run `repo-tune generate-data` again."
        ) from None


def _row(line: bytes, path: Path, number: int) -> _Row:
    try:
        row = orjson.loads(line)
        meta = row["meta"]
        texts = (row["instruction"], row["input"], row["output"], meta["symbol"], meta["path"])
        return _Row(
            id=meta["id"],
            file=(meta["repo"], meta["path"]),
            code=shown_code(meta["task"], row["input"], row["output"]),
            secret=any(holds_secret(text) for text in texts),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise StorageError(
            f"{path} line {number} isn't an example.", "Run `repo-tune generate-data` again."
        ) from None

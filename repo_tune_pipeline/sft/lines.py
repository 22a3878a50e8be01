"""Examples and rejections as JSON lines, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import ExampleMeta, Rejection, SftExample

COMMIT_LATER = "0" * 40
"""Stands for the repository's commit in a line that is kept beyond it."""

_HOLE = b'"commit":"%s"' % COMMIT_LATER.encode()
# What str.splitlines takes for a line's end and JSON doesn't: NEL, LINE and PARAGRAPH SEPARATOR.
_LINE_ENDS = {"\u0085": b"\\u0085", "\u2028": b"\\u2028", "\u2029": b"\\u2029"}


def example_line(example: SftExample) -> bytes:
    """One line of `sft.jsonl`, its end included."""
    row: dict[str, object] = {
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "meta": example.meta,
    }
    return _line(row)


def rejection_line(rejection: Rejection) -> bytes:
    """One line of `rejects.jsonl`, its end included."""
    return _line(rejection)


def with_commit(line: bytes, commit: str) -> bytes:
    """`line` with `commit` where COMMIT_LATER stood.

    Inside a JSON string quotes are escaped: no text of an example can look like the field.
    """
    return line.replace(_HOLE, b'"commit":"%s"' % commit.encode(), 1)


def read_examples(path: Path) -> list[SftExample]:
    """The examples of an `sft.jsonl` or `heldout.jsonl`, in the file's order.

    Raises:
        StorageError: the file is missing, or a line isn't an example; names the line.
    """
    return list(iterate_examples(path))


def iterate_examples(path: Path) -> Iterator[SftExample]:
    """As `read_examples`, one at a time."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield _parse(line, path, number)
    except OSError as error:
        raise StorageError(
            f"{path} can't be read: {error.strerror}.", "Run `repo-tune generate-data` first."
        ) from None


def _parse(line: bytes, path: Path, number: int) -> SftExample:
    try:
        row = orjson.loads(line)
        meta = ExampleMeta(**row["meta"])
        return SftExample(row["instruction"], row["input"], row["output"], meta)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise StorageError(
            f"{path} line {number} isn't an example.", "Run `repo-tune generate-data` again."
        ) from None


def encode(value: object, option: int = 0) -> bytes:
    """`value` as JSON; lone surrogates, which UTF-8 can't hold, become "?"."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        return orjson.dumps(_without_surrogates(value), option=option)


def _line(row: object) -> bytes:
    encoded = encode(row, orjson.OPT_APPEND_NEWLINE)
    if encoded.isascii():
        return encoded
    for character, escape in _LINE_ENDS.items():
        encoded = encoded.replace(character.encode(), escape)
    return encoded


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, ExampleMeta | Rejection):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        items: dict[Any, Any] = value
        return {key: _without_surrogates(item) for key, item in items.items()}
    if isinstance(value, list | tuple):
        parts: Iterable[Any] = value
        return [_without_surrogates(part) for part in parts]
    return value

"""A dataset's folder: sft.jsonl, heldout.jsonl, sft_readable.json, rejects.jsonl, manifest.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.artifacts import (
    digest_bytes,
    digest_json,
    new_folder,
    point_latest,
    read_json,
    write_file,
    write_json,
)
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import ExampleMeta, Rejection, SftExample
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.dataset import SFT_VERSION, Dataset
from repo_tune_pipeline.sft.readable import readable

FILES = ("sft.jsonl", "sft_readable.json", "heldout.jsonl", "rejects.jsonl", "manifest.json")
_TOOLS = ("repo-tune-pipeline", "tree-sitter", "tree-sitter-language-pack")
# What str.splitlines takes for a line's end and JSON doesn't: NEL, LINE and PARAGRAPH SEPARATOR.
_LINE_ENDS = {"\u0085": b"\\u0085", "\u2028": b"\\u2028", "\u2029": b"\\u2029"}


def save_dataset(dataset: Dataset, datasets: Path, *, settings: SftSettings) -> Path:
    """Write `datasets/<first 12 digits of the manifest's digest>/` and point `latest` at it.

    The same dataset and settings give the same bytes and so the same folder; one that is already
    there and whole is left as it is.

    Raises:
        StorageError: the disk is full or the folder can't be written; nothing is left behind.
    """
    train = _lines(_example_row(example) for example in dataset.train)
    heldout = _lines(_example_row(example) for example in dataset.heldout)
    rejects = _lines(_row(rejection) for rejection in dataset.rejections)
    manifest = {
        "digests": {
            "sft.jsonl": digest_bytes(train),
            "heldout.jsonl": digest_bytes(heldout),
            "rejects.jsonl": digest_bytes(rejects),
        },
        "repositories": dataset.repositories,
        "settings": settings.model_dump(mode="json"),
        "domains": dataset.packs,
        "tools": {"sft": SFT_VERSION, **{name: _version(name) for name in _TOOLS}},
        "counts": dataset.counts(),
        "funnel": dataset.funnel.as_dict(),
    }
    folder = datasets / digest_json(manifest)[:12]
    if not _is_whole(folder, manifest):
        with new_folder(folder) as building:
            write_file(building / "sft.jsonl", train)
            write_file(building / "heldout.jsonl", heldout)
            write_file(building / "rejects.jsonl", rejects)
            write_file(building / "sft_readable.json", _indented(readable(dataset)))
            write_json(building / "manifest.json", manifest)
    point_latest(folder)
    return folder


def load_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset's folder.

    Raises:
        StorageError: it is missing or isn't a JSON object.
    """
    return dict(read_json(folder / "manifest.json"))


def read_examples(path: Path) -> list[SftExample]:
    """The examples of an `sft.jsonl` or `heldout.jsonl`, in the file's order.

    Raises:
        StorageError: the file is missing, or a line isn't an example; names the line.
    """
    try:
        with path.open("rb") as stream:
            return [_parse(line, path, number) for number, line in enumerate(stream, start=1)]
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


def _example_row(example: SftExample) -> dict[str, object]:
    return {
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
        "meta": _row(example.meta),
    }


def _row(record: ExampleMeta | Rejection) -> dict[str, object]:
    """The fields of a flat record, in their order; `asdict` would copy each value deeply."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _lines(rows: Iterable[dict[str, object]]) -> bytes:
    return b"".join(_line(row) for row in rows)


def _line(row: dict[str, object]) -> bytes:
    encoded = _encode(row, orjson.OPT_APPEND_NEWLINE)
    for character, escape in _LINE_ENDS.items():
        encoded = encoded.replace(character.encode(), escape)
    return encoded


def _indented(value: object) -> Iterator[bytes]:
    yield _encode(value, orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _encode(value: object, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        return orjson.dumps(_without_surrogates(value), option=option)


def _without_surrogates(value: object) -> object:
    """`value` with "?" for each lone surrogate, which UTF-8 can't hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        items: dict[Any, Any] = value
        return {key: _without_surrogates(item) for key, item in items.items()}
    if isinstance(value, list | tuple):
        parts: Iterable[Any] = value
        return [_without_surrogates(part) for part in parts]
    return value


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _is_whole(folder: Path, manifest: dict[str, Any]) -> bool:
    if not all((folder / name).is_file() for name in FILES):
        return False
    digests: dict[str, str] = manifest["digests"]
    return all(
        digest_bytes((folder / name).read_bytes()) == digest for name, digest in digests.items()
    )

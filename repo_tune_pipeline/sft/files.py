"""A data set's folder, written as a stream and identified by what is in it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from repo_tune_pipeline.artifacts import (
    digest_file,
    digest_json,
    point_latest,
    read_json,
    replace_folder,
    storage_error,
    write_file,
    write_json,
)
from repo_tune_pipeline.sft.card import card
from repo_tune_pipeline.sft.readable import readable
from repo_tune_pipeline.sft.split import SIDES, Side

SIDE_FILES: dict[Side, str] = {
    "train": "sft.jsonl",
    "heldout": "heldout.jsonl",
    "recent": "heldout_recent.jsonl",
}
REJECTS = "rejects.jsonl"
_DIGESTED = (*SIDE_FILES.values(), REJECTS)
_TOOLS = ("repo-tune-pipeline", "tree-sitter", "tree-sitter-language-pack", "detect-secrets")

LinesOf = Callable[[Side], Iterable[bytes]]


def save_dataset(
    datasets: Path, lines_of: LinesOf, rejects: Iterable[bytes], about: Mapping[str, Any]
) -> Path:
    """Write `datasets/<first 12 digits of the manifest's digest>/` and point `latest` at it.

    Args:
        datasets: the folder of all data sets.
        lines_of: the lines of a side, in the order in which they shall stand.
        rejects: the lines of `rejects.jsonl`.
        about: what the manifest says beside digests and tools: repositories, settings, counts, …

    The same lines give the same bytes and so the same folder; one that is there and whole is left
    as it is.

    Raises:
        StorageError: the disk is full or the folder can't be written; nothing is left behind.
    """
    try:
        datasets.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".building.", dir=datasets))
    except OSError as error:
        raise storage_error(datasets, error) from None
    try:
        digests = {
            SIDE_FILES[side]: _write(building / SIDE_FILES[side], lines_of(side)) for side in SIDES
        }
        digests[REJECTS] = _write(building / REJECTS, rejects)
        manifest = {**about, "digests": digests, "tools": _tools(about)}
        folder = datasets / digest_json(manifest)[:12]
        if not _is_whole(folder, digests):
            _finish(building, manifest)
            building.chmod(0o755)
            replace_folder(building, folder)
    except OSError as error:
        raise storage_error(building, error) from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    point_latest(folder)
    return folder


def load_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset's folder.

    Raises:
        StorageError: it is missing or isn't a JSON object.
    """
    return dict(read_json(folder / "manifest.json"))


def _finish(building: Path, manifest: Mapping[str, Any]) -> None:
    """What is made from the lines and the manifest: for people, and for tools that load it."""
    summary = {name: manifest[name] for name in ("counts", "repositories", "funnels")}
    write_file(building / "sft_readable.json", readable(summary, _all_lines(building)))
    write_file(building / "README.md", card(manifest).encode("utf-8", "replace"))
    write_json(building / "manifest.json", manifest)


def _all_lines(building: Path) -> Iterator[tuple[str, bytes]]:
    for side in SIDES:
        with (building / SIDE_FILES[side]).open("rb") as stream:
            for line in stream:
                yield side, line


def _write(file: Path, lines: Iterable[bytes]) -> str:
    """Write lines and return the SHA-256 of all of them."""
    digest = hashlib.sha256()

    def noted() -> Iterator[bytes]:
        for line in lines:
            digest.update(line)
            yield line

    write_file(file, noted())
    return digest.hexdigest()


def _tools(about: Mapping[str, Any]) -> dict[str, str]:
    return {**about["tools"], **{name: _version(name) for name in _TOOLS}}


def _version(distribution: str) -> str:
    with suppress(PackageNotFoundError):
        return version(distribution)
    return "not installed"


def _is_whole(folder: Path, digests: Mapping[str, str]) -> bool:
    others = ("sft_readable.json", "README.md", "manifest.json")
    return all((folder / name).is_file() for name in (*_DIGESTED, *others)) and all(
        digest_file(folder / name) == digest for name, digest in digests.items()
    )

"""Removing old versions by a rule, and never what a champion stands on.

Kept of each variant are its newest versions, the champion, the champions before it that a roll-back
would go to, and what `latest` names. With a version go its report and, where no other kept version
learned from it and no training under way reads it, its data set.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.artifacts import Home, read_json
from repo_tune_pipeline.champions import standing
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.jobs import is_alive

_DIGITS = 12
JOB_DAYS = 90.0
"""What runs left of themselves is kept so long."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Folders that are removed, or would be, and their size in bytes."""

    folders: tuple[Path, ...]
    size: int


def prune(home: Home, keep: int, *, dry_run: bool = False) -> Pruned:
    """Remove what the rule doesn't keep.

    Args:
        home: where everything lies.
        keep: how many of a variant's newest versions stay, at least 1.
        dry_run: only say what would go.

    Raises:
        StorageError: a champion's record can't be read; nothing was removed.
    """
    old = list(_old(home, max(1, keep)))
    size = sum(_size(folder) for folder in old)
    for folder in [] if dry_run else old:
        shutil.rmtree(folder, ignore_errors=True)
    return Pruned(tuple(old), size)


def _old(home: Home, keep: int) -> Iterator[Path]:
    learned_from: set[str] = set()
    dropped: list[Path] = []
    for variant in _folders(home.root / "adapters"):
        versions = _folders(variant)
        kept = _kept(home, variant.name, versions, keep)
        learned_from |= {_dataset(version) for version in versions if version.name in kept}
        dropped += [version for version in versions if version.name not in kept]
        dropped += _reports(home, variant.name, kept)
    placebos = _folders(home.root / "placebo" / "adapters" / "placebo")
    newest = home.datasets / "latest"
    stays = {newest.resolve().name, *learned_from, *_being_learned(home)}
    yield from dropped
    yield from _by_age(placebos)[keep:]
    yield from (folder for folder in _folders(home.datasets) if folder.name not in stays)
    yield from (
        folder
        for folder in _folders(home.root / "jobs")
        if time.time() - folder.stat().st_mtime > JOB_DAYS * 86_400
        and not is_alive(home, folder.name)
    )


def _kept(home: Home, variant: str, versions: list[Path], keep: int) -> set[str]:
    now = standing(home, variant)
    champions = [*now.earlier, *([now.champion] if now.champion else [])]
    newest = {version.name for version in _by_age(versions)[:keep]}
    latest = home.adapters(variant) / "latest"
    return {*newest, latest.resolve().name, *(one.version for one in champions[-keep - 1 :])}


def _reports(home: Home, variant: str, kept: set[str]) -> Iterator[Path]:
    """Those on versions that aren't kept, and none that can't be read."""
    latest = (home.evaluations(variant) / "latest").resolve().name
    for folder in _folders(home.evaluations(variant)):
        try:
            adapter = read_json(folder / "report.json").get("adapter")
        except StorageError:
            continue
        judged = adapter.get("version") if isinstance(adapter, dict) else None
        if judged not in kept and folder.name != latest:
            yield folder


def _being_learned(home: Home) -> Iterator[str]:
    """The data sets of trainings under way or interrupted: they are read again at their end."""
    for plan in (home.root / "training").glob("*/*/plan.json"):
        try:
            yield Path(str(read_json(plan).get("dataset"))).name
        except StorageError:
            continue


def _dataset(version: Path) -> str:
    try:
        return str(read_json(version / "run.json").get("dataset_digest"))[:_DIGITS]
    except StorageError:
        return ""


def _folders(folder: Path) -> list[Path]:
    """Its folders, without links and what is being built."""
    if not folder.is_dir():
        return []
    found = (one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
    return sorted(one for one in found if not one.name.startswith("."))


def _by_age(folders: list[Path]) -> list[Path]:
    """The newest first."""
    return sorted(folders, key=lambda folder: folder.stat().st_mtime, reverse=True)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

"""Which adapter version is exported, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home, read_json
from repo_tune_pipeline.champions import champion
from repo_tune_pipeline.errors import BaseModelError, EmptyInputError, UsageError
from repo_tune_pipeline.settings import STARTER
from repo_tune_pipeline.training import BaseModel, resolve_base_model, starter_folder


@dataclass(frozen=True, slots=True)
class AdapterVersion:
    """A version's folder, its run.json, and the verdict on it ({} if it wasn't judged)."""

    folder: Path
    run: dict[str, Any]
    verdict: dict[str, Any]

    @property
    def name(self) -> str:
        """What servers are told to call it: ``main-0123456789ab``."""
        return f"{self.run['variant']}-{self.run['version']}"

    @property
    def base(self) -> str:
        """The hub id or folder of the base model; the packaged one lies where the package does now,
        which may have moved since.
        """
        if self.run.get("base_model") == STARTER:
            return str(starter_folder())
        return str(self.run["base_path"])

    @property
    def base_is_on_a_hub(self) -> bool:
        return not Path(self.base).is_absolute()

    def find_base(self) -> BaseModel:
        """The base model, on this machine or a hub.

        Raises:
            BaseModelError: it can't be had, or the package has another starter by now.
        """
        base = resolve_base_model(self.base)
        trained_on = self.run.get("base_digest", base.digest)
        if self.run.get("base_model") == STARTER and trained_on != base.digest:
            raise BaseModelError(
                f"Version {self.name} was trained on another starter ({str(trained_on)[:12]}) than "
                f"this package has ({base.digest[:12]}).",
                "Train a new adapter version: `repo-tune train`.",
            )
        return base


def find_version(home: Home, variant: str, version: str = "") -> AdapterVersion:
    """A variant's version: the one that is named, else the champion, else the newest.

    Raises:
        EmptyInputError: the variant has none.
        UsageError: there is no version of that name.
        StorageError: its run.json can't be read.
    """
    folder = home.adapters(variant)
    known = sorted(path.parent.name for path in folder.glob("[0-9a-f]*/run.json"))
    if not known:
        raise EmptyInputError(
            f"Variant {variant} has no adapter below {folder}.",
            f"Train one: `repo-tune train --variant {variant}`.",
        )
    if version and version not in known:
        raise UsageError(
            f"Variant {variant} has no version {version}.", f"Versions: {', '.join(known)}."
        )
    if not version:
        best = champion(home, variant)
        version = best.version if best and best.version in known else ""
    chosen = folder / (version or "latest")
    run = read_json(chosen / "run.json")
    return AdapterVersion(chosen.resolve(), run, _verdict(home, variant, str(run["version"])))


def _verdict(home: Home, variant: str, version: str) -> dict[str, Any]:
    """The newest one."""
    reports = home.evaluations(variant).glob("[0-9a-f]*/report.json")
    for file in sorted(reports, key=lambda path: path.stat().st_mtime, reverse=True):
        report = cast(dict[str, Any], read_json(file))
        if report.get("adapter", {}).get("version") == version:
            return report.get("verdict", {})
    return {}

"""What is missing or too small on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from repo_tune_pipeline import training
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.ingestion import git_version
from repo_tune_pipeline.settings import TrainingSettings

PACKAGES = (
    "axolotl",
    "bitsandbytes",
    "dagster",
    "dagster-webserver",
    "datasets",
    "google-generativeai",
    "pandas",
    "peft",
    "pyarrow",
    "torch",
    "transformers",
    "tree-sitter",
    "tree-sitter-language-pack",
)
GIB = 1024**3
MINIMUM_RAM = 4 * GIB
"""The starter's training peaks at about 1.5 GiB; Axolotl's imports and the rest need as much."""
MINIMUM_DISK = 2 * GIB


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence."""

    name: str
    status: Literal["ok", "note", "missing"]
    text: str


def examine(home: Home, settings: TrainingSettings, configs: Path) -> list[Finding]:
    """Look at programs, packages, memory, disk, devices and the configured base model.

    Nothing heavy is imported and nothing is written.
    """
    return [_git(), *_packages(), *_machine(home), _base_model(settings, configs)]


def _git() -> Finding:
    try:
        return Finding("git", "ok", git_version())
    except RepoTuneError as error:
        return Finding("git", "missing", str(error))


def _packages() -> list[Finding]:
    findings: list[Finding] = []
    for name in PACKAGES:
        try:
            findings.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            findings.append(Finding(name, "missing", f"install it: pip install {name}"))
    return findings


def _machine(home: Home) -> list[Finding]:
    facts = training.machine_facts(home.root)
    ram = f"{facts.memory_bytes / GIB:.1f} GiB, {facts.cpu_count} cores"
    disk = f"{facts.free_disk_bytes / GIB:.1f} GiB free for {home.root}"
    device = ", ".join(gpu.name for gpu in facts.gpus) or "none; training runs on the CPU"
    return [
        Finding("memory", "ok" if facts.memory_bytes >= MINIMUM_RAM else "missing", ram),
        Finding("disk", "ok" if facts.free_disk_bytes >= MINIMUM_DISK else "missing", disk),
        Finding("GPU", "ok" if facts.gpus else "note", device),
        Finding("profile", "note", f"{training.recommended_profile(facts)} fits this machine"),
    ]


def _base_model(settings: TrainingSettings, configs: Path) -> Finding:
    try:
        name = training.configured_base_model(configs, settings)
        found = training.resolve_base_model(name)
    except RepoTuneError as error:
        return Finding("base model", "missing", str(error))
    return Finding("base model", "ok", f"{name}: {found.reference}")

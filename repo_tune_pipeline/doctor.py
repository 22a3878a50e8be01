"""What is missing or too small on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from repo_tune_pipeline import training
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.ingestion import git_version
from repo_tune_pipeline.settings import Settings, TrainingSettings, VariantSettings

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


def examine(home: Home, settings: Settings, configs: Path) -> Iterator[Finding]:
    """Look at programs, packages, memory, disk, devices and the configured base model.

    Nothing heavy is imported, and nothing is written but that a recipe was found right.
    """
    yield _git()
    yield from _packages()
    yield from _machine(home)
    yield _base_model(settings.training, configs)
    yield _training(home, settings, configs)


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
    choice = training.choose_profile(facts)
    device = ", ".join(gpu.name for gpu in facts.gpus) or "none; training runs on the CPU"
    return [
        Finding("memory", "ok" if facts.memory_bytes >= MINIMUM_RAM else "missing", ram),
        Finding("disk", "ok" if facts.free_disk_bytes >= MINIMUM_DISK else "missing", disk),
        Finding("GPU", "ok" if facts.gpus else "note", device),
        Finding("profile", "note", f"{choice.profile} fits this machine: {choice.why}"),
    ]


def _base_model(settings: TrainingSettings, configs: Path) -> Finding:
    try:
        name = training.configured_base_model(configs, settings)
        found = training.resolve_base_model(name)
    except RepoTuneError as error:
        return Finding("base model", "missing", str(error))
    return Finding("base model", "ok", f"{name}: {found.reference}")


def _training(home: Home, settings: Settings, configs: Path) -> Finding:
    dataset = home.latest_dataset.resolve() if home.latest_dataset.is_dir() else None
    try:
        plan = training.forecast(
            settings=settings.training,
            configs=configs,
            home=home,
            variant="main",
            filter=settings.variants.get("main", VariantSettings()),
            dataset=dataset,
        )
    except RepoTuneError as error:
        return Finding("training", "missing", str(error))
    here = plan.here
    costs = f"about {here.memory.total / GIB:.1f} GiB of {here.free / GIB:.1f} free"
    if here.hours is not None:
        costs += f", {plan.steps} steps in {here.hours:.2f} hours ({here.speed.source})"
    status = "missing" if here.rung is None else "note" if plan.warnings else "ok"
    return Finding("training", status, " ".join([f"{here.profile}: {costs}.", *plan.warnings]))

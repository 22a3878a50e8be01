"""A placebo: the same recipe, as many examples, of a repository that has nothing to do with it.

Format and style are learnt from any code. What an adapter has over such a one is the repository.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, cast

import yaml

from repo_tune_pipeline import chunking, ingestion, sft
from repo_tune_pipeline.artifacts import Home, new_folder, read_json, write_file, write_json
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.registry import StageState, fingerprint, load_state, save_state
from repo_tune_pipeline.settings import Settings, VariantSettings
from repo_tune_pipeline.training import TrainingPlan, plan_training

_STAGE = "placebo_data"
_NAME = "placebo"


def placebo_home(home: Home) -> Home:
    """Where placebos and what they are made of lie, apart from a team's own."""
    return Home(home.root / "placebo")


def plan_placebo(
    adapter: Path, settings: Settings, filter: VariantSettings, configs: Path, home: Home
) -> TrainingPlan:
    """Read the other repository and plan a training like that of the adapter.

    What was read before is found again; the same repository, recipe and number give the plan whose
    version may be there.

    Args:
        adapter: the folder of the version that it is to be like.
        settings: the whole configuration; `evaluation.placebo` names the source.
        filter: the variant's; of the other repository only the tasks are chosen by it.
        configs: the folder with axolotl.yaml and profiles.
        home: the team's.

    Raises:
        ConfigError: the source is neither an installed package nor a repository.
        SourceError, EmptyInputError: it can't be read, or gives no examples.
    """
    run = read_json(adapter / "run.json")
    source = _source(settings.evaluation.placebo, cast("dict[str, str]", run["repositories"]))
    place = placebo_home(home)
    counts = cast("dict[str, int]", run["examples"])
    own = int(counts["seen"]) - int(counts.get("replayed", 0))
    dataset = _cut(_dataset(source, settings, configs, place), own, place)
    return plan_training(
        dataset=dataset,
        variant=_NAME,
        filter=VariantSettings(tasks=filter.tasks),
        settings=settings.training.changed(
            {
                "profile": run["profile"],
                "base_model": run["base_model"],
                "max_steps": _max_steps(adapter),
            }
        ),
        configs=configs,
        home=place,
        device=home,
    )


def _max_steps(adapter: Path) -> int:
    """The ceiling in the recipe beside the version; 0 where there is none."""
    recipe = yaml.safe_load((adapter / "axolotl.yaml").read_text(encoding="utf-8"))
    return int(cast("dict[str, Any]", recipe).get("max_steps") or 0)


def _source(named: str, learned: Mapping[str, str]) -> str:
    """An installed package's folder, or the source as it is named."""
    ours = {name.rpartition("/")[2].lower() for name in learned}
    if named.lower() in ours:
        raise ConfigError(
            f"`evaluation.placebo` is {named}, which the adapter learned from.",
            "Name a repository that has nothing to do with yours.",
        )
    if "/" in named:
        return named
    try:
        files = distribution(named).files or []
    except PackageNotFoundError:
        if Path(named).exists():
            return named
        raise ConfigError(
            f"`evaluation.placebo` is {named}, which is neither installed nor a repository.",
            "Name an installed package, a folder or a git URL, or leave it empty for none.",
        ) from None
    tops = [Path(str(file.locate())) for file in files if len(file.parts) == 2]
    modules = [path.parent for path in tops if path.name == "__init__.py"]
    if not modules:
        raise ConfigError(
            f"`evaluation.placebo` is {named}, of which no Python package is installed.",
            "Name another one, a folder or a git URL.",
        )
    return str(modules[0])


def _dataset(source: str, settings: Settings, configs: Path, place: Home) -> Path:
    commit = ingestion.head_commit(source, settings=settings.ingestion)
    inputs = fingerprint(
        source,
        commit,
        [sft.SFT_VERSION, dict(sft.TASK_VERSIONS), chunking.CHUNKER_VERSION],
        [part.model_dump(mode="json") for part in (settings.sft, settings.chunking)],
        settings.ingestion.model_dump(mode="json"),
    )
    known = load_state(place, _STAGE, "all")
    if known and known.fingerprint == inputs and Path(str(known.result["folder"])).is_dir():
        return Path(str(known.result["folder"]))
    name = f"local/{Path(source).name}"
    snapshot = ingestion.ingest(
        source, name=name, settings=settings.ingestion, mirrors=place.mirrors
    )
    ingestion.save_snapshot(place.snapshot(name), snapshot)
    chunking.save_chunks(place.chunks(name), snapshot, settings.chunking)
    stock = sft.Stock(name, place.snapshot(name), place.chunks(name))
    made = sft.build_dataset(
        [stock],
        place.datasets,
        settings=settings.sft,
        packs=sft.load_packs(configs / "domains", settings.sft.domains),
    )
    folder = made.folder.absolute()
    save_state(place, _STAGE, "all", StageState(inputs, folder.name, {"folder": str(folder)}))
    return folder


def _cut(dataset: Path, examples: int, place: Home) -> Path:
    """As many training examples as the adapter had, by a hash; all where there are fewer."""
    lines = (dataset / "sft.jsonl").read_bytes().splitlines(keepends=True)
    if len(lines) <= examples:
        return dataset
    target = place.datasets / f"{dataset.name}-{examples}"
    if not target.is_dir():
        kept = set(sorted(lines, key=lambda line: hashlib.sha256(line).digest())[:examples])
        with new_folder(target) as building:
            write_file(building / "sft.jsonl", _those(lines, kept))
            manifest = read_json(dataset / "manifest.json")
            write_json(building / "manifest.json", {**manifest, "cut_to": examples})
    return target


def _those(lines: Sequence[bytes], kept: set[bytes]) -> list[bytes]:
    return [line for line in lines if line in kept]

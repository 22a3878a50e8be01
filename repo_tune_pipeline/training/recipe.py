"""The training recipe: configs/axolotl.yaml, the profile over it, the run's settings over both."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import orjson

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.settings import TrainingSettings
from repo_tune_pipeline.training.machine import choose_profile, machine_facts
from repo_tune_pipeline.training.spellings import in_axolotls_words
from repo_tune_pipeline.yaml_files import read_yaml

RECIPE = "axolotl.yaml"
STRATEGY = "repo_tune_pipeline.training.prompt_strategy"
AUTO = "auto"
"""The profile that is chosen by what the machine has."""
PLUGIN = "repo_tune_pipeline.training.axolotl_plugin.ProgressPlugin"


@dataclass(frozen=True, slots=True)
class Layer:
    """One configuration file of the recipe and what it says, in Axolotl's words.

    `notes` tell a person which keys were written in other words.
    """

    file: Path
    values: dict[str, Any]
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Layer:
        """Raises ConfigError where it isn't YAML, says one thing in two ways, or names a DeepSpeed
        configuration that can't be read.
        """
        values, notes = in_axolotls_words(file, read_yaml(file))
        return cls(file, _with_deepspeed(file, values), tuple(notes))


def read_layers(configs: Path, profile: str) -> tuple[Layer, ...]:
    """The recipe and the profile, the lower one first; for `auto` the profile that fits here.

    Raises:
        ConfigError: a file is missing, isn't YAML, or lets a base model run code of its own.
    """
    folder = configs / "profiles"
    notes: tuple[str, ...] = ()
    if profile == AUTO:
        choice = choose_profile(machine_facts())
        profile, notes = choice.profile, (f"Profile {choice.profile}: {choice.why}.",)
    file = folder / f"{profile}.yaml"
    if not file.is_file():
        known = ", ".join([AUTO, *sorted(path.stem for path in folder.glob("*.yaml"))])
        raise ConfigError(f"There is no profile {profile!r} in {folder}.", f"Profiles: {known}.")
    chosen = Layer.read(file)
    layers = (Layer.read(configs / RECIPE), replace(chosen, notes=(*notes, *chosen.notes)))
    for layer in layers:
        if layer.values.get("trust_remote_code"):
            raise ConfigError(
                f"{layer.file}: `trust_remote_code` would run programs that came with a model.",
                "Take the key out, and choose a base model that needs no code of its own.",
            )
    return layers


def lay(layers: Sequence[Layer], settings: TrainingSettings) -> dict[str, Any]:
    """All layers as one configuration; `null` in an upper layer takes a key away.

    The base model is the settings' if they name one. Their `max_steps` replaces the profile's.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge(merged, layer.values)
    if settings.base_model:
        merged["base_model"] = settings.base_model
    if settings.max_steps is not None:
        merged["max_steps"] = settings.max_steps
    return merged


def configured_base_model(configs: Path, settings: TrainingSettings) -> str:
    """The base model's name: of the settings, else of the profile, else of the recipe."""
    return str(lay(read_layers(configs, settings.profile), settings)["base_model"])


def place(recipe: dict[str, Any], *, base_model: str, work_dir: Path) -> dict[str, Any]:
    """The recipe with this run's base model, data and folders: what `axolotl train` is given.

    The first data set of the recipe is the pipeline's own; further ones stay as they are.
    """
    config = deepcopy(recipe)
    others = cast(list[Any], config.get("datasets") or [])[1:]
    ours = {"path": str(data_file(work_dir)), "ds_type": "json", "type": STRATEGY}
    plugins = [name for name in cast(list[str], config.get("plugins") or []) if name != PLUGIN]
    return {
        **config,
        "base_model": base_model,
        "datasets": [ours, *others],
        "dataset_prepared_path": str(work_dir / "prepared"),
        "output_dir": str(output_dir(work_dir)),
        "plugins": [*plugins, PLUGIN],
    }


def data_file(work_dir: Path) -> Path:
    """The training examples of a run."""
    return work_dir / "train.jsonl"


def output_dir(work_dir: Path) -> Path:
    """Where Axolotl writes checkpoints, metrics and the adapter."""
    return work_dir / "out"


def tensorboard_dir(work_dir: Path) -> Path:
    """Where TensorBoard's event files are written, one a start of the trainer."""
    return work_dir / "tensorboard"


def _with_deepspeed(file: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The DeepSpeed configuration in place of its path: the trainer stands in another folder, and
    what is in the file is part of what a training depends on.
    """
    named = values.get("deepspeed")
    if not isinstance(named, str):
        return values
    path = file.parent / named
    try:
        read = orjson.loads(path.read_bytes())
    except OSError as error:
        why = error.strerror
    except orjson.JSONDecodeError as error:
        why = f"it isn't JSON: {error}"
    else:
        return {**values, "deepspeed": read}
    raise ConfigError(
        f"{file}: `deepspeed` names {named}, which can't be read: {why}.",
        f"Put it at {path}, or write its keys below `deepspeed`.",
    )


def _merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merge(cast(dict[str, Any], below), cast(dict[str, Any], value))
        else:
            merged[key] = value
    return merged

"""Other tools' names for Axolotl's keys, accepted where a recipe is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.errors import ConfigError

_OTHERS = {
    "per_device_train_batch_size": "micro_batch_size",
    "lora.r": "lora_r",
    "lora.alpha": "lora_alpha",
    "lora.dropout": "lora_dropout",
    "lora.target_modules": "lora_target_modules",
}
"""The names of transformers' and PEFT's settings → Axolotl's."""
_PARENTS = frozenset(key.partition(".")[0] for key in _OTHERS if "." in key)


def in_axolotls_words(file: Path, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A file's values under Axolotl's names, and a sentence for each that had another.

    Raises:
        ConfigError: an unknown key below one that is known here, or the same setting under both
            names with different values.
    """
    spelled: dict[str, Any] = {}
    others: dict[str, str] = {}
    for written, value in _flat(file, values):
        name = _OTHERS.get(written, written)
        if written != name:
            others[name] = written
        if name in spelled and spelled[name] != value:
            raise ConfigError(
                f"{file}: `{others[name]}` and `{name}` are the same setting, and their values "
                "differ.",
                "Keep one of them.",
            )
        spelled[name] = value
    notes = [f"{file}: `{old}` is read as Axolotl's `{name}`." for name, old in others.items()]
    return spelled, notes


def _flat(file: Path, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values; of a mapping that is known here, each key below it with its own."""
    for key, value in values.items():
        if key not in _PARENTS:
            yield key, value
            continue
        known = sorted(name.partition(".")[2] for name in _OTHERS if name.startswith(f"{key}."))
        allowed = f"Allowed here: {', '.join(known)}."
        if not isinstance(value, dict):
            raise ConfigError(f"{file}: `{key}` is {value!r}, where a mapping belongs.", allowed)
        for name, below in cast(dict[str, Any], value).items():
            if name not in known:
                raise ConfigError(f"{file}: unknown key `{key}.{name}`.", allowed)
            yield f"{key}.{name}", below

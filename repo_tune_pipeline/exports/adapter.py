"""An adapter version as a folder for PEFT, with a card."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import orjson

from repo_tune_pipeline.artifacts import new_folder, write_file, write_json
from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.exports.card import card
from repo_tune_pipeline.exports.version import AdapterVersion

# What tells of this machine stays here: the log, the recipe as it was placed, event files' names.
_LEFT = ("training.log", "axolotl.yaml", "run.json", "tensorboard")
_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's --max-lora-rank may be (https://docs.vllm.ai, "Engine Arguments")."""


def require_free(target: Path) -> None:
    """Raises UsageError where something stands already."""
    if target.exists():
        raise UsageError(f"{target} is already there.", "Name a folder that isn't.")


def export_adapter(adapter: AdapterVersion, target: Path) -> dict[str, str]:
    """Copy a version to `target`, whole or not at all, and tell how to serve it.

    Raises:
        UsageError: `target` is there already.
        StorageError: it can't be written.
    """
    require_free(target)
    run = {name: value for name, value in adapter.run.items() if name != "base_path"}
    with new_folder(target) as building:
        for file in sorted(adapter.folder.iterdir()):
            if file.name not in _LEFT:
                shutil.copyfile(file, building / file.name)
        write_json(building / "run.json", run)
        write_file(building / "README.md", card(adapter, "adapter").encode())
    return {"output": str(target), "vllm": _vllm(adapter, target)}


def _vllm(adapter: AdapterVersion, target: Path) -> str:
    config = orjson.loads((adapter.folder / "adapter_config.json").read_bytes())
    rank = next((most for most in _RANKS if most >= int(config["r"])), _RANKS[-1])
    words = ["vllm", "serve", adapter.base, "--enable-lora", "--max-lora-rank", str(rank)]
    return shlex.join([*words, "--lora-modules", f"{adapter.name}={target}"])

"""An adapter merged into its base model's weights, for tools that know nothing of adapters."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args

import orjson

from repo_tune_pipeline.artifacts import new_folder, write_file
from repo_tune_pipeline.errors import ExportError, StorageError, UsageError
from repo_tune_pipeline.exports.adapter import require_free
from repo_tune_pipeline.exports.card import card
from repo_tune_pipeline.exports.modelfile import Template, modelfile
from repo_tune_pipeline.exports.version import AdapterVersion

WORKER = "repo_tune_pipeline.exports.merge_worker"
Precision = Literal["base", "float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_MARGIN = 1.1


def export_merged(adapter: AdapterVersion, target: Path, precision: str) -> dict[str, str]:
    """Write a whole model to `target`, or nothing, and tell how to serve it.

    Args:
        adapter: the version.
        target: a folder that isn't there yet.
        precision: of the weights; `base`: as the base model has them.

    Returns:
        `output`, and the commands that serve it with `vllm` and `ollama`.

    Raises:
        UsageError: an unknown precision, or a target that is there.
        BaseModelError: the base model isn't on this machine.
        ExportError: base and adapter can't be merged.
        StorageError: the disk has too little room, or can't be written.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"No precision is called {precision}.", f"Known: {', '.join(PRECISIONS)}.")
    require_free(target)
    _require_room(adapter, target, precision)
    with new_folder(target) as building:
        told = _merge(adapter, building, precision)
        write_file(building / "Modelfile", modelfile(told).encode())
        write_file(building / "README.md", card(adapter, "merged").encode())
    folder, name = str(target), adapter.name
    vllm = ["vllm", "serve", folder, "--served-model-name", name]
    ollama = ["ollama", "create", name, "-f", f"{folder}/Modelfile"]
    return {"output": folder, "vllm": shlex.join(vllm), "ollama": shlex.join(ollama)}


def _require_room(adapter: AdapterVersion, target: Path, precision: str) -> None:
    base = adapter.find_base()
    if base.folder is None:
        return  # the worker says that it isn't here
    weights = sum(path.stat().st_size for path in base.folder.glob("*.safetensors"))
    # Weights of 16 bits, which most are, take twice the room in 32.
    needed = int(weights * _MARGIN * (2 if precision == "float32" else 1))
    place = target.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StorageError(
            f"The merged model takes up to {needed / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} "
            "GB left.",
            "Name a folder on another disk.",
        )


def _merge(adapter: AdapterVersion, building: Path, precision: str) -> Template:
    done = subprocess.run(
        [sys.executable, "-m", WORKER, str(adapter.folder), adapter.base, str(building), precision],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or [""]
    if done.returncode:
        raise ExportError(
            f"Version {adapter.name} can't be merged into {adapter.base}: {lines[-1]}",
            "See that the base model is on this machine and that memory holds it whole.",
        )
    return Template(**orjson.loads(lines[-1]))

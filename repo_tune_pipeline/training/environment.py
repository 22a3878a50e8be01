"""What the trainer's processes find in their environment."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import repo_tune_pipeline

_ALWAYS = {
    # Nothing is fetched or told while a model trains: the base model was made sure of before.
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "AXOLOTL_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    # No compiled kernels from a hub.
    "USE_HUB_KERNELS": "NO",
    "TOKENIZERS_PARALLELISM": "false",
    # A log that can be followed: one line at a time, and no bars that overwrite themselves.
    "PYTHONUNBUFFERED": "1",
    "TQDM_DISABLE": "1",
    # The working directory may be a repository: its modules must not shadow the trainer's.
    "PYTHONSAFEPATH": "1",
}
_UNLESS_ASKED = {
    "WANDB_MODE": "disabled",
    "WANDB_DISABLED": "true",
}
"""Weights & Biases sends what a run does to its servers: only where the recipe names a project."""
_UNLESS_SET = {
    # OpenMP's threads spin while they wait for each other by default. On two cores shared with
    # anything else that made a step nine times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def trainer_environment(
    environ: Mapping[str, str] = os.environ, *, to_wandb: bool = False
) -> dict[str, str]:
    """`environ` without Dagster Pipes' channel, offline and quiet, with this package importable.

    `to_wandb` leaves Weights & Biases as the user set it.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("DAGSTER_PIPES")}
    silent = {} if to_wandb else _UNLESS_ASKED
    return {**_UNLESS_SET, **kept, **_ALWAYS, **silent, **_import_path(environ)}


def _import_path(environ: Mapping[str, str]) -> dict[str, str]:
    """PYTHONPATH for a package that runs from a checkout and isn't installed."""
    root = Path(repo_tune_pipeline.__file__).parent.parent
    if root == Path(sysconfig.get_path("purelib")):
        return {}
    given = environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(root), *([given] if given else [])])}

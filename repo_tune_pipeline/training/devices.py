"""On how many devices a training runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.training.machine import find_gpus


def training_processes(num_gpus: int, recipe: Mapping[str, Any]) -> int:
    """How many processes train together, one a device.

    Args:
        num_gpus: as configured; 0: all GPUs that there are. Without a GPU, CPU processes.
        recipe: the whole Axolotl configuration; with `use_ray` its `ray_num_workers` decides.

    Raises:
        ConfigError: there are fewer GPUs, or none where only GPUs will do.
    """
    gpus = len(find_gpus())
    if recipe.get("fsdp_config") and not gpus:
        raise ConfigError(
            "`fsdp_config`: Axolotl shares a model among GPUs, and this machine has none.",
            "Take the key out; several CPU processes share the examples without it (`num_gpus`).",
        )
    if recipe.get("use_ray"):
        if not gpus and not os.environ.get("RAY_ADDRESS"):
            raise ConfigError(
                "`use_ray`: Axolotl asks Ray for a GPU a worker, and this machine has none.",
                "Name a cluster that has in RAY_ADDRESS, or take the key out.",
            )
        return int(recipe.get("ray_num_workers") or 1)
    if gpus and num_gpus > gpus:
        raise ConfigError(
            f"`num_gpus` is {num_gpus}, and this machine has {gpus}.", "Lower it, or leave it out."
        )
    return num_gpus or max(1, gpus)

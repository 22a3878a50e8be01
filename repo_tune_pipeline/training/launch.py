"""How `axolotl train` is started: on how many devices, by which of its launchers, seeing what."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from repo_tune_pipeline.training.environment import trainer_environment
from repo_tune_pipeline.training.machine import find_gpus
from repo_tune_pipeline.training.plan import TrainingPlan
from repo_tune_pipeline.training.recipe import tensorboard_dir

_VISIBLE = "CUDA_VISIBLE_DEVICES"


def train_command(plan: TrainingPlan, checkpoint: Path | None) -> list[str]:
    """`axolotl train` for the working folder's axolotl.yaml.

    One process is started as it is, several by torchrun. Ray starts its workers itself.
    """
    several = plan.processes > 1 and not plan.config.get("use_ray")
    command = [sys.executable, "-m", "axolotl.cli.main", "train", "axolotl.yaml"]
    command += ["--launcher", "torchrun" if several else "python"]
    if checkpoint is not None:
        command.append(f"--resume-from-checkpoint={checkpoint}")
    if several:
        command += ["--", "--standalone", f"--nproc_per_node={plan.processes}"]
    return command


def train_environment(
    plan: TrainingPlan, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What the trainer finds in its environment: as many devices as are planned, and no more."""
    to_wandb = bool(plan.config.get("use_wandb") or plan.config.get("wandb_project"))
    return {
        # The working folder goes when the adapter is in its place, and a run kept offline must not.
        "WANDB_DIR": str(plan.home),
        **trainer_environment(environ, to_wandb=to_wandb),
        "HF_DATASETS_CACHE": str(plan.work_dir / "cache"),
        "TENSORBOARD_LOGGING_DIR": str(tensorboard_dir(plan.work_dir)),
        # Axolotl calls its launcher by name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")]),
        **_devices(plan, environ),
    }


def _devices(plan: TrainingPlan, environ: Mapping[str, str]) -> dict[str, str]:
    if plan.config.get("use_ray"):
        return {}
    gpus = len(find_gpus())
    if not gpus:
        return {"ACCELERATE_USE_CPU": "true"} if plan.processes > 1 else {}
    named = environ.get(_VISIBLE)
    seen = named.split(",") if named else [str(number) for number in range(gpus)]
    return {_VISIBLE: ",".join(seen[: plan.processes])}

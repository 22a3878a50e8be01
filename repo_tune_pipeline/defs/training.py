"""`qlora_adapter`: one adapter version of one variant, trained by Axolotl in its own process."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline import training
from repo_tune_pipeline.artifacts import Home, digest_file, point_latest, read_json
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.conditions import when_worth_training
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.partitions import DEVICE, variants
from repo_tune_pipeline.defs.workers import run_worker
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.evaluation.charts import loss_curve
from repo_tune_pipeline.jobs import UnderWay, note_training
from repo_tune_pipeline.registry import StageState, save_state
from repo_tune_pipeline.settings import TrainingSettings
from repo_tune_pipeline.training import TrainingPlan
from repo_tune_pipeline.training.environment import trainer_environment

STAGE = "train"
WORKER = "repo_tune_pipeline.training.worker"
CHECKER = "repo_tune_pipeline.models.check_adapter"
LOADS = "adapter_loads"
CHECK_SECONDS = 1800


class TrainConfig(dg.Config):
    """What one run changes in the configuration's `training` section; empty means: as there."""

    profile: str = ""
    base_model: str = ""
    max_steps: int = 0
    num_gpus: int = 0
    shuffle_labels: bool = False

    def applied(self, settings: TrainingSettings) -> TrainingSettings:
        """The settings with this run's changes."""
        return settings.changed(self.model_dump())


@dg.asset(
    partitions_def=variants,
    deps=["sft_jsonl"],
    code_version=training.TRAINING_VERSION,
    group_name="repo_tune",
    kinds={"pytorch", "huggingface"},
    pool=DEVICE,
    automation_condition=when_worth_training("sft_jsonl"),
    check_specs=[
        dg.AssetCheckSpec(
            LOADS,
            asset="qlora_adapter",
            blocking=True,
            description="The version loads onto its base with plain PEFT and changes its output.",
        )
    ],
)
def qlora_adapter(  # Dagster takes no return annotation on an asset with checks of its own
    context: dg.AssetExecutionContext, config: TrainConfig, workspace: Workspace
):
    """One adapter version; the same data, base and recipe give the version that is there."""
    started = time.monotonic()
    with readable_failures():
        home, variant = workspace.home, context.partition_key
        plan = training_plan(workspace, variant, config)
        folder = training.finished_adapter(plan, home)
        if folder is None:
            under_way = UnderWay(plan.work_dir, plan.adapter)
            note_training(home, context.run_id, under_way)
            reported = run_worker(context, WORKER, training.prepare_training(plan))
            folder = home.adapters(variant) / plan.version
        else:
            context.log.info(f"Version {plan.version} is whole: nothing to train.")
            reported = dg.MaterializeResult[Any]()
            point_latest(folder)
        result = train_result(folder, context.run_id, started)
        digest = digest_file(folder / "adapter_model.safetensors")
        save_state(home, STAGE, variant, StageState(plan.fingerprint, digest, result))
    return dg.MaterializeResult(
        metadata={**(reported.metadata or {}), **_metadata(folder)},
        data_version=dg.DataVersion(digest),
        check_results=[adapter_loads(folder)],
    )


def adapter_loads(folder: Path) -> dg.AssetCheckResult:
    """Load the version in a process of its own, as a user of PEFT would."""
    done = subprocess.run(
        [sys.executable, "-m", CHECKER, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=CHECK_SECONDS,
        # Else bitsandbytes would ask a hub for a compiled kernel as it is imported.
        env=trainer_environment(),
    )
    said = done.stdout or done.stderr[-2000:]
    return dg.AssetCheckResult(
        check_name=LOADS, passed=done.returncode == 0, metadata={"said": said.strip()}
    )


def training_plan(workspace: Workspace, variant: str, config: TrainConfig) -> TrainingPlan:
    """The plan for the newest data set.

    Raises:
        EmptyInputError: there is no data set yet.
    """
    home, settings = workspace.home, workspace.settings
    dataset = newest_dataset(home)
    return training.plan_training(
        dataset=dataset,
        variant=variant,
        filter=settings.variants[variant],
        settings=config.applied(settings.training),
        configs=workspace.configs,
        home=home,
    )


def newest_adapter(home: Home, variant: str) -> Path:
    """The folder of the variant's newest version.

    Raises:
        EmptyInputError: there is none.
    """
    adapter = home.adapters(variant) / "latest"
    if not adapter.is_dir():
        raise EmptyInputError(
            f"There is no adapter below {home.adapters(variant)}.",
            f"Train one: `repo-tune train --variant {variant}`.",
        )
    return adapter.resolve()


def newest_dataset(home: Home) -> Path:
    """The folder of the newest data set.

    Raises:
        EmptyInputError: there is none.
    """
    if not home.latest_dataset.is_dir():
        raise EmptyInputError(
            f"There is no data set below {home.datasets}.", "Make one: `repo-tune generate-data`."
        )
    return home.latest_dataset.resolve()


def train_result(folder: Path, run_id: str, started: float) -> dict[str, object]:
    """What `repo-tune train` prints of a version."""
    run = read_json(folder / "run.json")
    kept = ("version", "variant", "base_model", "profile", "steps", "train_loss")
    return {
        "adapter": str(folder),
        **{name: run.get(name) for name in kept},
        "log": str(folder / "training.log"),
        "run_id": run_id,
        "seconds": round(time.monotonic() - started, 3),
    }


def _metadata(folder: Path) -> presentation.Metadata:
    run = read_json(folder / "run.json")
    rows = [(name, value) for name, value in sorted(run.items()) if not isinstance(value, dict)]
    points = [(row["step"], row["loss"]) for row in training.read_metrics(folder / "metrics.jsonl")]
    curve = loss_curve(points)
    return {
        **({"loss_curve": presentation.picture(str(curve), 720)} if curve else {}),
        "version": str(run.get("version")),
        "run": presentation.table(("of this version", "value"), rows),
        "folder": presentation.path(folder),
        "log": presentation.path(folder / "training.log"),
    }

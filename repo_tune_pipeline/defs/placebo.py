"""`placebo_adapter`: the recipe of a version on code that has nothing to do with the repository."""

from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline import evaluation, training
from repo_tune_pipeline.artifacts import Home, digest_file
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.conditions import when_changed
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.partitions import DEVICE, variants
from repo_tune_pipeline.defs.training import WORKER, newest_adapter, qlora_adapter
from repo_tune_pipeline.defs.workers import run_worker
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.jobs import UnderWay, note_training
from repo_tune_pipeline.registry import StageState, fingerprint, load_state, save_state
from repo_tune_pipeline.settings import Settings

STAGE = "placebo"


class PlaceboConfig(dg.Config):
    """Whether one is trained, where the configuration names its source."""

    enabled: bool = True


@dg.asset(
    partitions_def=variants,
    deps=[qlora_adapter],
    code_version=training.TRAINING_VERSION,
    group_name="repo_tune",
    kinds={"pytorch", "huggingface"},
    pool=DEVICE,
    automation_condition=when_changed("qlora_adapter"),
)
def placebo_adapter(
    context: dg.AssetExecutionContext, config: PlaceboConfig, workspace: Workspace
) -> dg.MaterializeResult[Any]:
    """What an adapter learns of form and style from any code: the report counts what exceeds it."""
    with readable_failures():
        home, settings, variant = workspace.home, workspace.settings, context.partition_key
        adapter = newest_adapter(home, variant)
        inputs = placebo_fingerprint(adapter, settings, enabled=config.enabled)
        if not (config.enabled and settings.evaluation.placebo):
            nothing: dict[str, object] = {"folder": "", "adapter": adapter.name}
            save_state(home, STAGE, variant, StageState(inputs, "none", nothing))
            return dg.MaterializeResult(
                metadata={"placebo": "none"}, data_version=dg.DataVersion("none")
            )
        plan = evaluation.plan_placebo(
            adapter, settings, settings.variants[variant], workspace.configs, home
        )
        place = evaluation.placebo_home(home)
        folder = training.finished_adapter(plan, place)
        if folder is None:
            note_training(home, context.run_id, UnderWay(plan.work_dir, plan.adapter))
            run_worker(context, WORKER, training.prepare_training(plan))
            folder = plan.adapter
        else:
            context.log.info(f"Placebo {plan.version} is whole: nothing to train.")
        digest = digest_file(folder / "adapter_model.safetensors")
        result: dict[str, object] = {"folder": str(folder), "adapter": adapter.name}
        save_state(home, STAGE, variant, StageState(inputs, digest, result))
    return dg.MaterializeResult(
        metadata={
            "examples": plan.examples,
            "repositories": ", ".join(plan.repositories),
            "folder": presentation.path(folder),
        },
        data_version=dg.DataVersion(digest),
    )


def placebo_fingerprint(adapter: Path, settings: Settings, *, enabled: bool) -> str:
    """What a placebo is made for."""
    source = settings.evaluation.placebo if enabled else ""
    return fingerprint(adapter.name, source)


def is_current(home: Home, variant: str, settings: Settings, *, enabled: bool) -> bool:
    """Whether the newest adapter's placebo is there, or needn't be."""
    state = load_state(home, STAGE, variant)
    adapter = newest_adapter(home, variant)
    wanted = placebo_fingerprint(adapter, settings, enabled=enabled)
    if state is None or state.fingerprint != wanted:
        return False
    folder = str(state.result["folder"])
    return not folder or (Path(folder) / "adapter_model.safetensors").is_file()


def newest_placebo(home: Home, variant: str) -> Path | None:
    """The placebo of the newest adapter; None where none was trained for it."""
    state = load_state(home, STAGE, variant)
    if state is None or state.result["adapter"] != newest_adapter(home, variant).name:
        return None
    folder = str(state.result["folder"])
    return Path(folder) if folder and Path(folder).is_dir() else None

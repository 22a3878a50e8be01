"""From the trainer's output folder to an adapter version."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.artifacts import new_folder, point_latest, write_json
from repo_tune_pipeline.errors import TrainingError
from repo_tune_pipeline.training.checkpoints import whole_safetensors
from repo_tune_pipeline.training.climbing import Climbed
from repo_tune_pipeline.training.learned import LEARNED_FILE, write_learned
from repo_tune_pipeline.training.plan import TRAINING_VERSION, TrainingPlan
from repo_tune_pipeline.training.progress import IN_MEMORY_FILE, metrics_file, read_metrics
from repo_tune_pipeline.training.recipe import output_dir, tensorboard_dir
from repo_tune_pipeline.training.trainer import LOG_FILE

_PACKAGES = ("axolotl", "torch", "transformers", "peft", "bitsandbytes", "datasets")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
)
# Axolotl's own config.json stays behind: with it, AutoModel takes the folder for a whole model.
_ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")


def publish_adapter(plan: TrainingPlan, climbed: Climbed) -> dict[str, Any]:
    """Put the adapter version in its place, whole or not at all, and remove the working folder.

    Returns:
        The content of its run.json.

    Raises:
        TrainingError: the trainer left no whole adapter.
        StorageError: the version can't be written.
    """
    out = output_dir(plan.work_dir)
    _check(plan, out)
    summary = run_summary(plan, climbed)
    with new_folder(plan.adapter) as folder:
        for name in (*_ADAPTER_FILES, *_TOKENIZER_FILES, IN_MEMORY_FILE):
            if (out / name).is_file():
                shutil.copyfile(out / name, folder / name)
        shutil.copyfile(metrics_file(plan.work_dir), folder / "metrics.jsonl")
        events = tensorboard_dir(plan.work_dir)
        if events.is_dir():
            shutil.copytree(events, folder / events.name)
        for name in ("axolotl.yaml", LOG_FILE):
            shutil.copyfile(plan.work_dir / name, folder / name)
        write_learned(folder / LEARNED_FILE, plan.known_examples(), plan.training_examples())
        write_json(folder / "run.json", summary)
    point_latest(plan.adapter)
    shutil.rmtree(plan.work_dir, ignore_errors=True)
    return summary


def run_summary(plan: TrainingPlan, climbed: Climbed) -> dict[str, Any]:
    """The content of run.json.

    `train_loss` is the mean over all steps, in nats a token. `seconds` and `peak_memory_bytes` are
    of the last attempt, which began after `resumed_step`. `ladder` says which settings memory
    sufficed for. `examples.seen` counts the `replayed` ones too; `beyond_max_steps` were not drawn,
    since the last step comes before them.
    """
    metrics = read_metrics(metrics_file(plan.work_dir))
    last, run = metrics[-1], climbed.run
    seen, trained = plan.examples + plan.replayed, int(last["examples"])
    beyond = plan.examples - plan.reached
    dropped = {"too_long": seen - beyond - trained, "beyond_max_steps": beyond}
    return {
        "variant": plan.variant,
        "version": plan.version,
        "fingerprint": plan.fingerprint,
        "dataset_digest": plan.dataset_digest,
        "data_digest": plan.data_digest,
        "examples": {
            "seen": seen,
            "kept": trained,
            "dropped": {reason: count for reason, count in dropped.items() if count},
            "replayed": plan.replayed,
        },
        "repositories": plan.repositories,
        "filter": plan.filter.model_dump(mode="json"),
        "shuffle_labels": plan.shuffle_labels,
        "base_model": plan.base_name,
        "base_path": plan.base_model,
        "base_digest": plan.base_digest,
        "profile": plan.profile,
        "processes": plan.processes,
        "ladder": climbed.summary(),
        "steps": last["step"],
        "resumed_step": run.resumed_step,
        "train_loss": sum(row["loss"] for row in metrics) / len(metrics),
        "final_loss": last["loss"],
        "seconds": round(run.seconds, 3),
        "peak_memory_bytes": max(run.peak_memory_bytes, int(last["memory_bytes"])),
        "versions": _versions(),
    }


def _check(plan: TrainingPlan, out: Path) -> None:
    weights, config = (out / name for name in _ADAPTER_FILES)
    trained_on = ""
    if config.is_file():
        trained_on = orjson.loads(config.read_bytes()).get("base_model_name_or_path", "")
    whole = whole_safetensors(weights) and bool(read_metrics(metrics_file(plan.work_dir)))
    if not whole or trained_on != plan.base_model:
        raise TrainingError(
            f"Training of variant {plan.variant}: Axolotl ended without a whole adapter in {out}.",
            f"Read {plan.work_dir / LOG_FILE}, and run again.",
        )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "training": TRAINING_VERSION}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

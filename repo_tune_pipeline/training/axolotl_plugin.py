"""The plugin that the pipeline adds to Axolotl's own: metrics, a stop on NaN, the data's order."""

# Axolotl imports this module inside its own process, and calls it with more than it needs.
# ruff: noqa: TID253, ARG002

from __future__ import annotations

import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import torch
from accelerate import PartialState
from axolotl.integrations.base import BasePlugin
from torch import distributed
from transformers import (
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from repo_tune_pipeline.artifacts import write_file, write_json
from repo_tune_pipeline.training.data_order import set_order
from repo_tune_pipeline.training.in_memory import write_answers
from repo_tune_pipeline.training.lifeline import end_with_parent
from repo_tune_pipeline.training.progress import (
    BEGINS,
    IN_MEMORY_FILE,
    METRICS_FILE,
    STOPPED_FILE,
    read_metrics,
)
from repo_tune_pipeline.training.recipe import data_file
from repo_tune_pipeline.training.step_batch import StepBatch


class ProgressPlugin(BasePlugin):
    """Named under `plugins` in each configuration that the pipeline makes."""

    def register(self, cfg: dict[str, Any]) -> None:
        """With several processes the trainers are grandchildren: they too end with their parent."""
        end_with_parent(os.getppid())
        if _on_several_cpus():
            # Axolotl asks for the processes' state without a word of the CPU, and would then let
            # each of them take itself for the only one.
            PartialState(cpu=True)

    def load_datasets(self, cfg: Any, preprocess: bool = False) -> None:
        """Leave the data to Axolotl: it is the last call before the model's place is decided."""
        if _on_several_cpus():
            # Axolotl counts processes as GPUs.
            cfg.device_map = {"": "cpu"}

    def pre_lora_load(self, cfg: Any, model: Any) -> None:
        """Seed before the adapter's first values are drawn.

        Axolotl leaves seeding to the Trainer, which is made later: without this two trainings of
        one plan begin with different adapters.
        """
        set_seed(42 if cfg.seed is None else int(cfg.seed))

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        set_order(trainer, cfg)

    def add_callbacks_post_trainer(self, cfg: Any, trainer: Any) -> list[Any]:
        folder, batch = Path(cfg.output_dir), StepBatch(trainer)
        return [MetricsCallback(folder, len(trainer.train_dataset), batch)]


class MetricsCallback(TrainerCallback):
    """Appends `step, max_steps, epoch, loss, learning_rate, tokens, tokens_per_second,
    memory_bytes, eta_seconds, examples` to metrics.jsonl.

    `tokens` are those read since the row before, questions too and padding not, by all processes.
    `examples` is how many fit the sequence length. `memory_bytes` is the peak so far: of the
    first GPU's memory where there is one, else of the first process.
    """

    def __init__(self, folder: Path, examples: int, batch: StepBatch) -> None:
        self._file = folder / METRICS_FILE
        self._stopped = folder / STOPPED_FILE
        self._examples = examples
        self._batch = batch
        self._first_step = 0
        self._began = 0.0
        self._last = (0.0, 0)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        # Transformers would show the last good loss in place of a NaN.
        args.logging_nan_inf_filter = False
        self._first_step = state.global_step
        self._began = time.monotonic()
        self._last = (self._began, self._batch.tokens)
        if not state.is_world_process_zero:
            return
        # Steps after the checkpoint will be made again.
        kept = [row for row in read_metrics(self._file) if row["step"] <= state.global_step]
        write_file(self._file, [_line(row) for row in kept])
        sys.stdout.write(f"{BEGINS} after step {state.global_step}.\n")

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        self._batch.begin()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs is None or "loss" not in logs:
            return
        # The loss is the mean over all processes, so that all of them take the same way here.
        loss = float(logs["loss"])
        first = state.is_world_process_zero
        if not math.isfinite(loss):
            self._stop(state.global_step, loss, kwargs["processing_class"], first=first)
        tokens = sum(_from_all(self._batch.tokens))
        if first:
            row = self._row(state, loss, float(logs.get("learning_rate", 0.0)), tokens)
            with self._file.open("ab") as stream:
                stream.write(_line(row))

    def on_train_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        # Weights that are spread over processes answer only where all of them ask.
        if state.is_world_process_zero and not args.fsdp and not args.deepspeed:
            folder = self._file.parent
            write_answers(
                kwargs["model"],
                kwargs["processing_class"],
                data_file(folder.parent),
                folder / IN_MEMORY_FILE,
            )

    def _stop(self, step: int, loss: float, tokenizer: Any, *, first: bool) -> None:
        found = _from_all(self._batch.lines(data_file(self._file.parent.parent), tokenizer))
        if first:
            lines = sorted({number for lines in found for number in lines})
            write_json(self._stopped, {"step": step, "loss": str(loss), "lines": lines})
            sys.stdout.write(f"The loss of step {step} is {loss}: stopping.\n")
        sys.exit(1)

    def _row(
        self, state: TrainerState, loss: float, learning_rate: float, tokens: int
    ) -> dict[str, Any]:
        now = time.monotonic()
        then, before = self._last
        self._last = (now, tokens)
        done = max(1, state.global_step - self._first_step)
        left = state.max_steps - state.global_step
        return {
            "step": state.global_step,
            "max_steps": state.max_steps,
            "epoch": state.epoch,
            "loss": loss,
            "learning_rate": learning_rate,
            "tokens": tokens - before,
            "tokens_per_second": (tokens - before) / max(now - then, 1e-9),
            "memory_bytes": _peak_memory(),
            "eta_seconds": left * (now - self._began) / done,
            "examples": self._examples,
        }


def _on_several_cpus() -> bool:
    return os.environ.get("ACCELERATE_USE_CPU") == "true"


def _from_all(mine: Any) -> list[Any]:
    """What each process has, in their order."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return [mine]
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, mine)
    return found


def _peak_memory() -> int:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)

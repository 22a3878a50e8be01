"""`axolotl train` as a supervised child process, with everything it says in training.log."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.errors import OutOfMemoryError, TrainingError
from repo_tune_pipeline.training.checkpoints import checkpoint_step
from repo_tune_pipeline.training.examples import EXAMPLES_FILE
from repo_tune_pipeline.training.full_disk import ended_by_full_disk
from repo_tune_pipeline.training.launch import train_command, train_environment
from repo_tune_pipeline.training.lifeline import end_group, end_with_parent
from repo_tune_pipeline.training.out_of_memory import (
    ended_by_memory,
    kernel_kills,
    limit_memory,
)
from repo_tune_pipeline.training.plan import TrainingPlan
from repo_tune_pipeline.training.progress import BEGINS, STOPPED_FILE
from repo_tune_pipeline.training.recipe import output_dir

LOG_FILE = "training.log"
_POLL_SECONDS = 0.5
_LOG_LINES = 20
_LINE_CHARS = 300


@dataclass(frozen=True, slots=True)
class TrainerRun:
    """A run that ended well: wall seconds, and the largest resident memory of a trainer process."""

    seconds: float
    peak_memory_bytes: int
    resumed_step: int


def run_trainer(
    plan: TrainingPlan, checkpoint: Path | None, every_poll: Callable[[], None]
) -> TrainerRun:
    """Run `axolotl train` to its end; `every_poll` is called twice a second meanwhile.

    An exception from `every_poll`, Ctrl-C and a signal end the trainer before they go on.

    Raises:
        OutOfMemoryError: memory ran out in a step.
        TrainingError: it ran out before the first one, the trainer ended with another error or by
            a signal, or the loss became NaN.
        StorageError: the log can't be written, or the disk was full.
    """
    began = time.monotonic()
    log, kills = plan.work_dir / LOG_FILE, kernel_kills()
    (output_dir(plan.work_dir) / STOPPED_FILE).unlink(missing_ok=True)
    try:
        with log.open("ab") as stream:
            stream.write(_heading(plan, checkpoint))
            stream.flush()
            begins_at = stream.tell()
            process = _start(plan, checkpoint, stream.fileno())
    except OSError as error:
        raise storage_error(log, error) from None
    try:
        while process.poll() is None:
            every_poll()
            time.sleep(_POLL_SECONDS)
    finally:
        end_group(process)
    if process.returncode:
        if ended_by_full_disk(log, begins_at):
            raise storage_error(plan.work_dir, OSError(errno.ENOSPC, "")) from None
        error = trainer_error(plan, process.returncode)
        if not ended_by_memory(process.returncode, log, begins_at, kills):
            raise error
        if not _began(log, begins_at):
            raise _too_large(plan)
        raise OutOfMemoryError(error.problem, error.remedy)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    resumed = checkpoint_step(checkpoint) if checkpoint else 0
    return TrainerRun(time.monotonic() - began, peak, resumed)


def _began(log: Path, since: int) -> bool:
    """Whether a trainer came as far as its first step; its part of the log begins at `since`."""
    with log.open("rb") as stream:
        stream.seek(since)
        return any(BEGINS.encode() in line for line in stream)


def _too_large(plan: TrainingPlan) -> TrainingError:
    return TrainingError(
        f"Training of variant {plan.variant}: memory ran out while {plan.base_name} was loaded, "
        "before the first step.",
        "Take a smaller base model (--base-model), free memory, or raise `training.memory_gib` "
        f"if it is set. The log is {plan.work_dir / LOG_FILE}.",
    )


def note(plan: TrainingPlan, text: str) -> None:
    """A line of the supervisor's own in the training's log.

    Raises:
        StorageError: it can't be written.
    """
    log = plan.work_dir / LOG_FILE
    try:
        with log.open("ab") as stream:
            stream.write(f"=== {text} ===\n".encode())
    except OSError as error:
        raise storage_error(log, error) from None


def trainer_error(plan: TrainingPlan, code: int) -> TrainingError:
    """What to tell of a trainer that ended with exit status `code` (negative: by that signal)."""
    log = plan.work_dir / LOG_FILE
    remedy = f"The whole log is {log}; the same command goes on from the newest whole checkpoint."
    stopped = output_dir(plan.work_dir) / STOPPED_FILE
    if stopped.is_file():
        return _stopped(plan, orjson.loads(stopped.read_bytes()), log)
    if code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += ", which is also what the kernel does when memory runs out"
    else:
        how = f"ended with exit status {code}"
    tail = "\n".join(last_lines(log))
    return TrainingError(
        f"Training of variant {plan.variant}: `axolotl train` {how}. Its last lines:\n{tail}\n",
        remedy,
    )


def _stopped(plan: TrainingPlan, said: Mapping[str, Any], log: Path) -> TrainingError:
    examples = plan.training_examples()
    batch = "".join(f"\n{examples[at].repo} {examples[at].place}" for at in said["lines"])
    return TrainingError(
        f"Training of variant {plan.variant} stopped at step {said['step']}: the loss is "
        f"{said['loss']}. The examples of that step are from:{batch}\n",
        f"Lower `learning_rate` in the profile {plan.profile}, or look at these examples in "
        f"{plan.dataset / EXAMPLES_FILE}. The log is {log}.",
    )


def last_lines(log: Path) -> list[str]:
    """The last 20 lines of a log, each cut to 300 characters; of a traceback only its end.

    A reader wants the error's name and message; the frames stay in the log.
    """
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 64 * 1024))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines: list[str] = []
    in_traceback = False
    for line in text.splitlines():
        in_traceback = line.startswith("Traceback ") or (in_traceback and line[:1] in (" ", ""))
        if line.strip() and not in_traceback:
            lines.append(line[:_LINE_CHARS])
    return lines[-_LOG_LINES:]


def _start(plan: TrainingPlan, checkpoint: Path | None, log: int) -> subprocess.Popen[bytes]:
    me = os.getpid()
    return subprocess.Popen(
        train_command(plan, checkpoint),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=plan.work_dir,
        env=train_environment(plan),
        start_new_session=True,
        preexec_fn=lambda: _prepare(me, plan.memory_gib / plan.processes),
    )


def _prepare(parent: int, memory_gib: float) -> None:
    end_with_parent(parent)
    limit_memory(memory_gib)


def _heading(plan: TrainingPlan, checkpoint: Path | None) -> bytes:
    start = f"resuming from {checkpoint.name}" if checkpoint else "starting at step 0"
    return f"=== {plan.variant} {plan.version}: {start} ===\n".encode()

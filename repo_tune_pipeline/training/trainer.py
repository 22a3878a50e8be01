"""`axolotl train` as a supervised child process, with everything it says in training.log."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.errors import TrainingError
from repo_tune_pipeline.training.checkpoints import checkpoint_step
from repo_tune_pipeline.training.environment import trainer_environment
from repo_tune_pipeline.training.lifeline import end_group, end_with_parent
from repo_tune_pipeline.training.machine import find_gpus
from repo_tune_pipeline.training.plan import TrainingPlan
from repo_tune_pipeline.training.progress import STOPPED_FILE
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
        TrainingError: the trainer ended with an error or by a signal, or the loss became NaN.
        StorageError: the log can't be written.
    """
    began = time.monotonic()
    log = plan.work_dir / LOG_FILE
    (output_dir(plan.work_dir) / STOPPED_FILE).unlink(missing_ok=True)
    try:
        with log.open("ab") as stream:
            stream.write(_heading(plan, checkpoint))
            stream.flush()
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
        raise trainer_error(plan, process.returncode)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    resumed = checkpoint_step(checkpoint) if checkpoint else 0
    return TrainerRun(time.monotonic() - began, peak, resumed)


def trainer_error(plan: TrainingPlan, code: int) -> TrainingError:
    """What to tell of a trainer that ended with exit status `code` (negative: by that signal)."""
    log = plan.work_dir / LOG_FILE
    remedy = f"The whole log is {log}; the same command goes on from the newest whole checkpoint."
    stopped = output_dir(plan.work_dir) / STOPPED_FILE
    if stopped.is_file():
        said = orjson.loads(stopped.read_bytes())
        return TrainingError(
            f"Training of variant {plan.variant} stopped at step {said['step']}: the loss is "
            f"{said['loss']}.",
            f"Lower `learning_rate` in the profile {plan.profile}. The log is {log}.",
        )
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
        _command(checkpoint),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=plan.work_dir,
        env=_environment(plan),
        start_new_session=True,
        preexec_fn=lambda: end_with_parent(me),
    )


def _command(checkpoint: Path | None) -> list[str]:
    # One process is enough for one device; several GPUs need Axolotl's own launcher.
    launcher = "accelerate" if len(find_gpus()) > 1 else "python"
    command = [sys.executable, "-m", "axolotl.cli.main", "train", "axolotl.yaml"]
    command += ["--launcher", launcher]
    if checkpoint is not None:
        command.append(f"--resume-from-checkpoint={checkpoint}")
    return command


def _environment(plan: TrainingPlan) -> dict[str, str]:
    cache = str(plan.work_dir / "cache")
    return {**trainer_environment(), "HF_DATASETS_CACHE": cache}


def _heading(plan: TrainingPlan, checkpoint: Path | None) -> bytes:
    start = f"resuming from {checkpoint.name}" if checkpoint else "starting at step 0"
    return f"=== {plan.variant} {plan.version}: {start} ===\n".encode()

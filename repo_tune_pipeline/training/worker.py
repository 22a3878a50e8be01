"""`python -m repo_tune_pipeline.training.worker PLAN_JSON`: one training, from plan to adapter.

Dagster starts it through Pipes, and it works on its own too. It runs `axolotl train` as its child,
tells how far it is, goes on from the newest whole checkpoint of an earlier attempt, and puts the
adapter version in its place. A failure is written to error.json beside the plan, if there is room.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
from dagster_pipes import PipesContext, open_dagster_pipes

from repo_tune_pipeline.artifacts import Home, digest_file, point_latest, write_json
from repo_tune_pipeline.device import held_device
from repo_tune_pipeline.errors import RepoTuneError, StorageError, TrainingError
from repo_tune_pipeline.training.base_model import fetch_base_model, resolve_base_model
from repo_tune_pipeline.training.climbing import climb
from repo_tune_pipeline.training.plan import TrainingPlan, is_whole_adapter
from repo_tune_pipeline.training.progress import read_metrics, read_progress
from repo_tune_pipeline.training.publish import publish_adapter

_TELL_SECONDS = 5.0
_CURVE_POINTS = 200


class Stopped(TrainingError):
    """The worker was asked to end."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(
            f"The training was stopped by {name}.",
            "The same command goes on from the newest whole checkpoint.",
        )
        self.exit_code = code


class Teller:
    """Says how far the training is: to Dagster where it launched this process, else nowhere."""

    def __init__(self, pipes: PipesContext | None) -> None:
        self._pipes = pipes
        self._parent = os.getppid()
        self._told = 0.0
        self._step = 0

    def say(self, text: str) -> None:
        if self._pipes:
            self._pipes.log.info(text)

    def progress(self, work_dir: Path) -> None:
        """Say the newest step, every five seconds at most; end when Dagster has gone."""
        if self._pipes and os.getppid() != self._parent:
            raise Stopped("the end of the Dagster process that started it", 1)
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS:
            return
        self._told = now
        progress = read_progress(work_dir)
        if progress is not None and progress.step != self._step:
            self._step = progress.step
            self.say(str(progress))

    def report(self, adapter: Path, run: dict[str, Any]) -> None:
        if self._pipes:
            self._pipes.report_asset_materialization(
                metadata=_metadata(adapter, run),
                data_version=digest_file(adapter / "adapter_model.safetensors"),
            )
        else:
            sys.stdout.write(f"{adapter}\n")


def main() -> int:
    """Exit 0 with an adapter in its place, else the error's exit code."""
    plan_file = Path(sys.argv[1])
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    told = plan_file.parent / "error.json"
    told.unlink(missing_ok=True)
    with _pipes() as pipes:
        try:
            train(_read_plan(plan_file), Teller(pipes))
        except RepoTuneError as error:
            said = {"problem": error.problem, "remedy": error.remedy, "exit_code": error.exit_code}
            with suppress(StorageError):
                write_json(told, said)
            sys.stderr.write(f"{error}\n")
            return error.exit_code
    return 0


def train(plan: TrainingPlan, teller: Teller) -> None:
    """Make the plan's adapter version, or say that it is there.

    Raises:
        TrainingError: the trainer failed, or another worker is at this very training.
        BaseModelError: the base model can't be fetched.
        StorageError: something can't be written.
    """
    with _alone(plan):
        if not is_whole_adapter(plan.adapter, plan.fingerprint):
            _fetch(plan, teller)

            def news() -> None:
                teller.progress(plan.work_dir)

            with held_device(Home(plan.device), teller.say, news):
                climbed = climb(plan, news, teller.say)
                publish_adapter(plan, climbed)
    point_latest(plan.adapter)
    teller.report(plan.adapter, orjson.loads((plan.adapter / "run.json").read_bytes()))


def _fetch(plan: TrainingPlan, teller: Teller) -> None:
    """A hub model that isn't here yet is the one thing that a training takes from a network."""
    if Path(plan.base_model).is_absolute():
        return
    base = resolve_base_model(plan.base_model, revision=plan.base_revision)
    if base.folder is None:
        teller.say(f"Fetching {base.name} from the hub.")
        fetch_base_model(base, revision=plan.base_revision)


@contextmanager
def _alone(plan: TrainingPlan) -> Generator[None]:
    """Hold the training's lock, which ends with this process in any case."""
    with (plan.work_dir / ".lock").open("wb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError(
                f"Variant {plan.variant}, version {plan.version} is being trained already.",
                "Wait for that run, or end it first.",
            ) from None
        yield


@contextmanager
def _pipes() -> Generator[PipesContext | None]:
    if "DAGSTER_PIPES_CONTEXT" not in os.environ:
        yield None
        return
    with open_dagster_pipes() as pipes:
        yield pipes


def _read_plan(file: Path) -> TrainingPlan:
    try:
        return TrainingPlan.from_json(file.read_bytes())
    except OSError as error:
        raise StorageError(f"{file} can't be read: {error.strerror}.", "Run again.") from None


def _stop(signum: int, frame: FrameType | None) -> None:
    del frame
    raise Stopped(signal.Signals(signum).name, 128 + signum)


def _metadata(adapter: Path, run: dict[str, Any]) -> dict[str, Any]:
    """What Dagster shows of the version; at most 200 points of the loss curve."""
    metrics = read_metrics(adapter / "metrics.jsonl")
    every = -(-len(metrics) // _CURVE_POINTS)
    curve = [[row["step"], round(row["loss"], 4)] for row in metrics[::every]]
    speeds = sorted(row["tokens_per_second"] for row in metrics)
    return {
        "loss_curve": {"raw_value": curve, "type": "json"},
        "steps": run["steps"],
        "train_loss": run["train_loss"],
        "tokens_per_second": speeds[len(speeds) // 2],
        "seconds": run["seconds"],
        "peak_memory_bytes": run["peak_memory_bytes"],
        "adapter": {"raw_value": str(adapter), "type": "path"},
    }


if __name__ == "__main__":
    sys.exit(main())

"""kill -9 at five points of one training, run again each time: it ends as an undisturbed one.

The trainer, its supervisor and the Dagster run are the victims, each in a training of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from repo_tune_pipeline.training import TrainingPlan, prepare_training, read_metrics, read_progress
from repo_tune_pipeline.training.recipe import output_dir
from repo_tune_pipeline_tests.end_to_end.program import PROGRAM, environment
from repo_tune_pipeline_tests.training.support import (
    child_of,
    copy_configs,
    plan,
    processes_in,
    start_worker,
    wait_for,
)

pytestmark = pytest.mark.slow

STEPS, SAVE_STEPS = 12, 4
NOISE = 1e-3
"""Nats. On one thread the losses are the same to the last digit; a machine may add otherwise."""
GONE_SECONDS = 10
BEGINS = b"Training begins"


def loading(made: TrainingPlan) -> bool:
    return b"axolotl" in log_of(made).rsplit(b"===", 1)[-1].lower()


def after_the_first_step(made: TrainingPlan) -> bool:
    return step_of(made) >= 1


def as_a_checkpoint_appears(made: TrainingPlan) -> bool:
    return (output_dir(made.work_dir) / f"checkpoint-{SAVE_STEPS}").is_dir()


def between_two_checkpoints(made: TrainingPlan) -> bool:
    return step_of(made) > SAVE_STEPS + 1


def at_the_end(made: TrainingPlan) -> bool:
    """The last checkpoint is whole, and the adapter isn't written yet."""
    return (output_dir(made.work_dir) / f"checkpoint-{STEPS}" / "trainer_state.json").is_file()


POINTS: tuple[Callable[[TrainingPlan], bool], ...] = (
    loading,
    after_the_first_step,
    as_a_checkpoint_appears,
    between_two_checkpoints,
    at_the_end,
)


def log_of(made: TrainingPlan) -> bytes:
    log = made.work_dir / "training.log"
    return log.read_bytes() if log.is_file() else b""


def step_of(made: TrainingPlan) -> int:
    """The newest step of the attempt under way: an earlier one's metrics don't count."""
    if BEGINS not in log_of(made).rsplit(b": starting at", 1)[-1].rsplit(b": resuming from", 1)[-1]:
        return 0
    progress = read_progress(made.work_dir)
    return progress.step if progress else 0


def wait_until_gone(made: TrainingPlan) -> None:
    end = time.monotonic() + GONE_SECONDS
    while processes_in(made.work_dir):
        assert time.monotonic() < end, "a process of the training was left behind"
        time.sleep(0.1)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums are made in the same order each time, and the other core is left to the next test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("MKL_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def profile(tmp_path_factory, small_model) -> Path:
    changes = {
        "base_model": str(small_model),
        "save_steps": SAVE_STEPS,
        "micro_batch_size": 8,
        "num_epochs": 2,
        "max_steps": STEPS,
    }
    configs = copy_configs(tmp_path_factory.mktemp("configs") / "c", changes)
    file = configs / "repo_tune.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    # As `plan` makes it.
    settings.setdefault("training", {})["replay"] = 0
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return configs


@pytest.fixture
def made(tmp_path, dataset, profile) -> TrainingPlan:
    """A training in a home of its own, under the data set that `repo-tune train` would take."""
    place = tmp_path / "home" / "datasets" / dataset.name
    shutil.copytree(dataset, place)
    (place.parent / "latest").symlink_to(place.name)
    return plan(tmp_path / "home", place, configs=profile)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, dataset, profile) -> list[float]:
    """The losses of all steps of a training that nothing happened to."""
    whole = plan(tmp_path_factory.mktemp("home"), dataset, configs=profile)
    worker = start_worker(prepare_training(whole))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    return losses(whole)


def losses(made: TrainingPlan) -> list[float]:
    rows = read_metrics(made.adapter / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    return [row["loss"] for row in rows]


def start_run(made: TrainingPlan, profile: Path) -> subprocess.Popen[str]:
    """`repo-tune train`, whose child is the Dagster run."""
    return subprocess.Popen(
        [*PROGRAM, "train", "--config", str(profile / "repo_tune.yaml")],
        env=environment(made.work_dir.parents[2]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("victim", ["trainer", "supervisor", "run"])
def test_killed_at_five_points_it_ends_as_if_undisturbed(made, profile, undisturbed, victim):
    plan_file = prepare_training(made)

    def start() -> subprocess.Popen[str]:
        return start_run(made, profile) if victim == "run" else start_worker(plan_file)

    for point in POINTS:
        attempts = log_of(made).count(b"===\n")
        process = start()
        killed = process.pid if victim == "supervisor" else child_of(process)
        wait_for(lambda: log_of(made).count(b"===\n") > attempts, process)  # noqa: B023
        wait_for(lambda: point(made), process)  # noqa: B023
        os.kill(killed, signal.SIGKILL)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode, point.__name__
        assert "Traceback" not in stderr
        wait_until_gone(made)
        assert not made.adapter.exists(), point.__name__

    last = start()
    _, stderr = last.communicate(timeout=300)
    assert last.returncode == 0, stderr
    differences = [a - b for a, b in zip(losses(made), undisturbed, strict=True)]
    assert max(map(abs, differences)) < NOISE, differences


def test_sigterm_leaves_no_process_within_ten_seconds(made):
    worker = start_worker(prepare_training(made))
    wait_for(lambda: step_of(made) >= 1, worker)
    assert processes_in(made.work_dir)
    worker.send_signal(signal.SIGTERM)
    wait_until_gone(made)
    _, stderr = worker.communicate(timeout=GONE_SECONDS)
    assert worker.returncode == 128 + signal.SIGTERM
    assert "The training was stopped by SIGTERM." in stderr

"""Ending, over HTTP, what the service didn't start itself: a command's run, a refresh's stage."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, PROGRAM, environment
from repo_tune_pipeline_tests.end_to_end.serving import Served, copy_home, serve
from repo_tune_pipeline_tests.training.support import processes_in

pytestmark = pytest.mark.slow

STEPS = 4_000
SECONDS = 120


@pytest.fixture(scope="module")
def served(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("canceled")
    config = base / "repo_tune.yaml"
    config.write_text(walk.config.read_text().replace("max_steps: 12", f"max_steps: {STEPS}"))
    with serve(copy_home(walk.home, base / "home"), config) as running:
        yield running


def test_a_training_of_the_command_line_is_ended(served: Served) -> None:
    command = [*PROGRAM, "train", "--config", str(served.home.parent / "repo_tune.yaml")]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(served.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        job_id = wait_until(lambda: training(served), served)["job_id"]
        answer = served.post(f"/jobs/{job_id}/cancel")
        assert answer.status_code == 202, answer.text
        _, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1
    assert "was canceled" in err
    assert "Traceback" not in err
    wait_until(lambda: processes_in(served.home / "training") == [], served)
    assert served.wait_for(job_id, "canceled", seconds=30)["error"] is None


def test_a_stage_of_a_refresh_is_ended_with_the_refresh(served: Served) -> None:
    refresh = served.post("/refresh").json()["job_id"]
    stage = wait_until(lambda: training(served), served)["job_id"]
    assert stage != refresh
    assert served.post(f"/jobs/{stage}/cancel").status_code == 202
    for job_id in (stage, refresh):
        served.wait_for(job_id, "canceled", seconds=60)
    wait_until(lambda: processes_in(served.home / "training") == [], served)


def training(served: Served) -> dict[str, Any] | None:
    """The job that trains, once it has done a step."""
    jobs = served.get("/jobs").json()["jobs"]
    return next((job for job in jobs if job["training"]), None)


def wait_until(condition: Callable[[], Any], served: Served) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, served.get("/jobs").text
        time.sleep(0.3)
    return found

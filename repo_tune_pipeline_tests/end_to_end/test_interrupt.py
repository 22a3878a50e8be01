"""Ctrl-C while a model trains: one line, no process left, and the next run goes on from there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, PROGRAM, environment
from repo_tune_pipeline_tests.training.support import processes_in

DEADLINE = 180
TRAINERS_END = 15


def test_ctrl_c_in_the_middle_of_a_training(walk: Walk, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(walk.home, home, symlinks=True)
    command = [*PROGRAM, "train", "--max-steps", "400", "--config", str(walk.config)]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for_a_step(process, home)
        assert processes_in(home / "training")
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1, err
    assert "Interrupted." in err
    assert "Traceback" not in err
    ended = time.monotonic() + TRAINERS_END
    while processes_in(home / "training") and time.monotonic() < ended:
        time.sleep(0.2)
    assert processes_in(home / "training") == []
    newest = (home / "adapters" / "main" / "latest").resolve().name
    assert newest == walk.result["train"]["version"]


def _wait_for_a_step(process: subprocess.Popen[str], home: Path) -> None:
    started = time.monotonic()
    while not list(home.glob("training/main/*/out/metrics.jsonl")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - started < DEADLINE
        time.sleep(0.5)

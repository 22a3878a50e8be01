"""Ctrl-C while a model trains: one line, no process left, and the next run goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, PROGRAM, environment

DEADLINE = 180


def _session_processes(session: int) -> list[str]:
    """Command lines of the living processes that mention the given home."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    found.append((entry / "cmdline").read_text().replace("\0", " "))
            except (OSError, ProcessLookupError):
                continue
    return [line for line in found if line]


def test_ctrl_c_in_the_middle_of_a_training(walk: Walk) -> None:
    command = [*PROGRAM, "train", "--max-steps", "400", "--config", str(walk.config)]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(walk.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started = time.monotonic()
    while not list(walk.home.glob("training/main/*/out/metrics.jsonl")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - started < DEADLINE
        time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "Interrupted." in err
    assert "Traceback" not in err
    waited = time.monotonic()
    while _session_processes(process.pid) and time.monotonic() - waited < 15:
        time.sleep(0.2)
    assert _session_processes(process.pid) == []
    assert (walk.home / "adapters/main/latest").resolve().name == walk.result["train"]["version"]

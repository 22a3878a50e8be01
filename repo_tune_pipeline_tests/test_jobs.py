"""Which process a run belongs to, and ending it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_tune_pipeline import jobs
from repo_tune_pipeline.artifacts import Home

RUN = "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1"
HOLDS = (
    "import sys, time; from pathlib import Path; from repo_tune_pipeline.artifacts import Home;"
    " from repo_tune_pipeline.jobs import hold_job;"
    " hold_job(Home(Path(sys.argv[1])), sys.argv[2]); print(1, flush=True); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def process(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """It holds the run."""
    command = [sys.executable, "-c", HOLDS, str(home.root), RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline() == b"1\n"
        yield holding
        holding.kill()


def test_a_run_is_ended_as_by_ctrl_c(home: Home, process: subprocess.Popen[bytes]) -> None:
    assert jobs.process_of(home, RUN) == process.pid
    assert jobs.interrupt(home, RUN)
    assert process.wait(30) == -signal.SIGINT
    assert jobs.process_of(home, RUN) is None
    assert not jobs.interrupt(home, RUN)


def test_another_process_of_the_same_id_is_left_alone(
    home: Home, process: subprocess.Popen[bytes]
) -> None:
    """As where a home is shared by machines, each with processes of its own."""
    jobs.hold_job(home, "other")
    (home.root / "jobs" / "other" / "alive").write_text(f"{process.pid} 1")
    assert jobs.process_of(home, "other") is None
    assert not jobs.interrupt(home, "other")
    jobs.let_job_go("other")
    assert process.poll() is None


def test_runs_of_one_process_are_seen_to_share_it(
    home: Home, process: subprocess.Popen[bytes]
) -> None:
    for run in ("refresh", "stage"):
        jobs.hold_job(home, run)
    assert jobs.holder(home, "refresh") == jobs.holder(home, "stage") != jobs.holder(home, RUN)
    jobs.let_job_go("stage")
    assert jobs.holder(home, "stage") == ""
    jobs.let_job_go("refresh")

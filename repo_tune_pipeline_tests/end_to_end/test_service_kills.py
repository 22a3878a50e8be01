"""kill -9 of the service, the webserver or the daemon in the middle of each kind of job.

Each kind once, with one of the three in turn; with REPO_TUNE_TEST_EVERY_KILL=1 each with each.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import STEPS as WALKED
from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all
from repo_tune_pipeline_tests.end_to_end.serving import JOB_SECONDS, Served, copy_home, serve

pytestmark = pytest.mark.slow

SERVICE, WEBSERVER, DAEMON = "repo_tune_pipeline.service", "dagster-webserver", "dagster-daemon"
VICTIMS = (SERVICE, DAEMON, WEBSERVER)
KINDS = ("/ingest", "/fine-tune/generate-data", "/fine-tune/start", "/evaluate", "/refresh")
EVERY = "REPO_TUNE_TEST_EVERY_KILL"
TRUTH_SECONDS = 60
UNDER_WAY_SECONDS = 300
STEPS = 40


def rounds() -> list[tuple[str, str]]:
    if os.environ.get(EVERY) == "1":
        return [(kind, victim) for victim in VICTIMS for kind in KINDS]
    return [(kind, VICTIMS[number % len(VICTIMS)]) for number, kind in enumerate(KINDS)]


def test_after_each_kill_and_a_restart_the_status_is_true_and_a_rerun_completes(
    walk: Walk, tmp_path: Path
) -> None:
    home = copy_home(walk.home, tmp_path / "home")
    source = tmp_path / "code" / "pine"
    shutil.copytree(CHECKOUT / "repo_tune_pipeline", source,
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    config = tmp_path / "repo_tune.yaml"
    lost: tuple[str, dict[str, Any], list[str]] | None = None
    for number, (path, victim) in enumerate([*rounds(), ("", "")]):
        # No round finds its work done: there is a new commit, and a training of another length.
        (source / "round.py").write_text(f"def round_{number}():\n    return {number}\n")
        commit_all(source, f"round {number}")
        config.write_text(_config(walk, source.parent, STEPS + 2 * number))
        with serve(home, config) as served:
            if lost is not None:
                _see_it_through(served, *lost)
            if not path:
                break
            body = _body(path, source, STEPS + 2 * number + 1)
            job_id = served.post(path, json=body).json()["job_id"]
            _wait_until_under_way(served, job_id)
            lost = path, body, _going_on(served)
            assert job_id in lost[2]
            os.kill(served.child(victim), signal.SIGKILL)
            # The three end together, so that what watches over them starts them together.
            assert served.process.wait(60) == 1


def _config(walk: Walk, folder: Path, steps: int) -> str:
    text = walk.config.read_text().replace(f"max_steps: {WALKED}", f"max_steps: {steps}")
    assert text != walk.config.read_text()
    return text + f"service: {{folders: ['{folder}']}}\n"


def _body(path: str, source: Path, steps: int) -> dict[str, Any]:
    asked: dict[str, dict[str, Any]] = {
        "/ingest": {"source": str(source), "name": "local/pine"},
        "/fine-tune/start": {"max_steps": steps},
        "/evaluate": {"placebo": False},
    }
    return asked.get(path, {})


def _going_on(served: Served) -> list[str]:
    jobs = served.get("/jobs").json()["jobs"]
    return [job["job_id"] for job in jobs if job["status"] in ("queued", "running")]


def _wait_until_under_way(served: Served, job_id: str) -> None:
    deadline = time.monotonic() + UNDER_WAY_SECONDS
    while not _under_way(served, told := served.status(job_id)):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def _under_way(served: Served, told: dict[str, Any]) -> bool:
    assert told["status"] in ("queued", "running"), told
    if told["kind"] == "refresh":
        return any(job["training"] for job in served.get("/jobs").json()["jobs"])
    if told["kind"] == "fine-tune":
        return bool(told["training"])
    return told["status"] == "running" and bool(told["stage"])


def _see_it_through(served: Served, path: str, body: dict[str, Any], lost: list[str]) -> None:
    """Within a minute each lost job is told to have ended, or goes on to its end; then it runs
    again.
    """
    deadline = time.monotonic() + TRUTH_SECONDS
    for job_id in lost:
        _see_it_end(served, job_id, deadline)
    again = served.post(path, json=body)
    assert again.status_code == 202, again.text
    served.wait_for(again.json()["job_id"], "succeeded", seconds=2 * JOB_SECONDS)


def _see_it_end(served: Served, job_id: str, deadline: float) -> None:
    seen: list[Any] = []
    while (told := served.status(job_id))["status"] in ("queued", "running"):
        seen.append((told["stage"], told["progress"], (told["training"] or {}).get("step")))
        if time.monotonic() > deadline:
            assert len({*seen}) > 1, f"neither ended nor going on: {told}"
            served.wait_for(job_id, "succeeded")
        time.sleep(0.3)
    assert told["error"] or told["status"] != "failed"

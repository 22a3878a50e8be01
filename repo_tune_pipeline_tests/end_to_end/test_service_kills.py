"""kill -9 of the service, the webserver or the daemon in the middle of each kind of job."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all
from repo_tune_pipeline_tests.end_to_end.serving import Served, copy_home, serve

pytestmark = pytest.mark.slow

SERVICE, WEBSERVER, DAEMON = "repo_tune_pipeline.service", "dagster-webserver", "dagster-daemon"
TRUTH_SECONDS = 60
ROUNDS = (
    ("/ingest", SERVICE),
    ("/fine-tune/generate-data", DAEMON),
    ("/fine-tune/start", WEBSERVER),
    ("/evaluate", SERVICE),
)


def test_after_each_kill_and_a_restart_the_status_is_true_and_a_rerun_completes(
    walk: Walk, tmp_path: Path
) -> None:
    home = copy_home(walk.home, tmp_path / "home")
    source = tmp_path / "code" / "pine"
    shutil.copytree(CHECKOUT / "repo_tune_pipeline", source,
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    commit_all(source)
    config = tmp_path / "repo_tune.yaml"
    config.write_text(walk.config.read_text() + f"service: {{folders: ['{source.parent}']}}\n")
    asked: dict[str, dict[str, Any]] = {
        "/ingest": {"source": str(source), "name": "local/pine"},
        "/fine-tune/generate-data": {},
        "/fine-tune/start": {"max_steps": 40},
        "/evaluate": {"placebo": False},
    }
    lost: tuple[str, str] | None = None
    for path, victim in (*ROUNDS, (None, None)):
        with serve(home, config) as served:
            if lost is not None:
                _see_it_through(served, *lost, asked[lost[0]])
            if path is None or victim is None:
                break
            job_id = served.post(path, json=asked[path]).json()["job_id"]
            _wait_until_under_way(served, job_id)
            os.kill(served.child(victim), signal.SIGKILL)
            # The three end together, so that what watches over them starts them together.
            assert served.process.wait(60) == 1
            lost = path, job_id


def _wait_until_under_way(served: Served, job_id: str) -> None:
    deadline = time.monotonic() + 120
    while not _under_way(told := served.status(job_id)):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)


def _under_way(told: dict[str, Any]) -> bool:
    assert told["status"] in ("queued", "running"), told
    if told["kind"] == "fine-tune":
        return bool(told["training"])
    return told["status"] == "running" and bool(told["stage"])


def _see_it_through(served: Served, path: str, job_id: str, body: dict[str, Any]) -> None:
    """Within a minute the job is told to have ended, or goes on to its end; then it runs again."""
    deadline = time.monotonic() + TRUTH_SECONDS
    seen: list[Any] = []
    while (told := served.status(job_id))["status"] in ("queued", "running"):
        seen.append((told["stage"], told["progress"], (told["training"] or {}).get("step")))
        if time.monotonic() > deadline:
            assert len({*seen}) > 1, f"neither ended nor going on: {told}"
            served.wait_for(job_id, "succeeded")
        time.sleep(0.3)
    assert told["error"] or told["status"] != "failed"
    again = served.post(path, json=body)
    assert again.status_code == 202, again.text
    served.wait_for(again.json()["job_id"], "succeeded")

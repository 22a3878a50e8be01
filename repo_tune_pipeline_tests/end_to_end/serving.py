"""`repo-tune serve` as a user starts it, with Dagster beside it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, PROGRAM, environment

START_SECONDS = 120
JOB_SECONDS = 300


@dataclass(frozen=True)
class Served:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    ui_port: int
    home: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60, trust_env=False, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", timeout=120, trust_env=False, **options)

    def status(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/ingest/status/{job_id}").json()

    def wait_for(self, job_id: str, *statuses: str, seconds: float = JOB_SECONDS) -> dict[str, Any]:
        """The job's status once it is one of these, or has ended."""
        ended = {*statuses, "succeeded", "failed", "canceled"}
        deadline = time.monotonic() + seconds
        while (told := self.status(job_id))["status"] not in ended:
            assert time.monotonic() < deadline, told
            time.sleep(0.3)
        assert told["status"] in statuses, told
        return told

    def child(self, name: str) -> int:
        """The process id of the webserver, the daemon or the service."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                command = (entry / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if parent == str(self.process.pid) and name in command:
                return int(entry.name)
        raise AssertionError(f"{name} isn't running")


@contextmanager
def serve(home: Path, config: Path, **variables: str) -> Iterator[Served]:
    """Start it, and end it as Ctrl-C would."""
    port, ui_port = _free_port(), _free_port()
    command = [*PROGRAM, "serve", "--port", str(port), "--ui-port", str(ui_port)]
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--config", str(config)],
            cwd=CHECKOUT,
            env=environment(home, **variables),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    served = Served(process, port, ui_port, home)
    try:
        _wait_until_ready(served)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def copy_home(home: Path, to: Path) -> Path:
    """What a walk left, for a test that changes it; without its Dagster instance."""
    shutil.copytree(home, to, symlinks=True, ignore=shutil.ignore_patterns("dagster", "*.log"))
    return to


def _wait_until_ready(served: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert served.process.poll() is None, (served.home / "serve.log").read_text()[-3000:]
        try:
            if served.get("/health/ready").json()["dagster"]:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise AssertionError((served.home / "serve.log").read_text()[-3000:])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])

"""Running the chain in a process of its own and showing its events."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from repo_tune_pipeline.artifacts import storage_error
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import Place
from repo_tune_pipeline.errors import RepoTuneError

LAUNCHER = "repo_tune_pipeline.defs.launch"
STOP_SECONDS = 20


class ChainError(RepoTuneError):
    """What the chain's process told of its failure."""

    def __init__(self, problem: str, remedy: str, exit_code: int) -> None:
        super().__init__(problem, remedy)
        self.exit_code = exit_code


def run_chain(place: Place, request: Mapping[str, object], display: Display) -> dict[str, Any]:
    """Send one request to the chain's process and show what it tells.

    Returns:
        The command's result, with the keys of its JSON.

    Raises:
        ChainError: a stage failed.
    """
    log = place.home.root / "logs" / f"{request['command']}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = place.environment()
        errors = log.open("wb")
    except OSError as error:
        raise storage_error(log, error) from None
    with (
        errors,
        subprocess.Popen(
            [sys.executable, "-m", LAUNCHER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as child,
    ):
        try:
            result = _converse(child, request, display)
        except KeyboardInterrupt:
            _stop(child)
            raise
    if result is None:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        problem = f"The chain's process ended with {child.returncode} before it was done."
        raise ChainError(problem, f"The end of {log}:\n{tail}", 1)
    return result


def _converse(
    child: subprocess.Popen[str], request: Mapping[str, object], display: Display
) -> dict[str, Any] | None:
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the child was started without pipes")
    json.dump(request, child.stdin)
    child.stdin.close()
    for line in child.stdout:
        told: dict[str, Any] = json.loads(line)
        if told["event"] == "stage":
            display.stage(told["stage"], told["status"], told["text"])
        elif told["event"] == "progress":
            display.progress(told)
        elif told["event"] == "failed":
            raise ChainError(told["problem"], told["remedy"], told["exit_code"])
        else:
            return told["result"]
    return None


def _stop(child: subprocess.Popen[str]) -> None:
    """Let the child end its run and its workers; Ctrl-C reached it too, a `kill` may not have."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()

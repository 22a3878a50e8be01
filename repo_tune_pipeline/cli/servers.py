"""The commands that serve until they are ended: Dagster's UI, and the HTTP service beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import typer

from repo_tune_pipeline.cli.chain import run_chain
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, Place, program
from repo_tune_pipeline.errors import RepoTuneError, UsageError
from repo_tune_pipeline.exposure import TOKEN_VARIABLE, require_token
from repo_tune_pipeline.training.lifeline import end_with_parent

LOCATION = ["-m", "repo_tune_pipeline.definitions"]
SERVICE = "repo_tune_pipeline.service"
STOP_SECONDS = 15.0
_ASK_SECONDS = 5.0
_LOOPBACK = "127.0.0.1"


def ui(
    port: Annotated[int, typer.Option("--port", help="Where the page is served.")] = 3000,
    host: Annotated[str, typer.Option("--host", help="The address to bind.")] = _LOOPBACK,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Serve the Dagster UI and run its daemon, until Ctrl-C."""
    place = Place.of(config, home)
    display = Display(json=False)
    display.line(f"Dagster UI: http://{host}:{port}  (state: {place.home.root}; Ctrl-C ends it)")
    servers = _Servers(place, display)
    with servers:
        servers.start_dagster(host, port)
        servers.wait()


def serve(
    port: Annotated[int, typer.Option("--port", help="Where the service answers.")] = 8000,
    host: Annotated[str, typer.Option("--host", help="The address to bind.")] = _LOOPBACK,
    ui_port: Annotated[int, typer.Option("--ui-port", help="Where Dagster's UI is.")] = 3000,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Serve the HTTP API and its page, with Dagster beside it if none answers, until Ctrl-C."""
    place = Place.of(config, home)
    display = Display(json=False)
    require_token(host, os.environ.get(TOKEN_VARIABLE, ""))
    display.line(f"repo-tune: http://{host}:{port}  (API: /docs; state: {place.home.root})")
    servers = _Servers(place, display)
    with servers:
        if not _is_ours(place, ui_port):
            servers.start_dagster(_LOOPBACK, ui_port)
        display.line(f"Dagster UI: http://{_LOOPBACK}:{ui_port}  (Ctrl-C ends what was started)")
        dagster = f"http://{_LOOPBACK}:{ui_port}"
        address = ["--host", host, "--port", str(port), "--dagster-url", dagster]
        servers.start([sys.executable, "-m", SERVICE, *address])
        servers.wait()


class _Servers:
    """Child processes that live and end together."""

    def __init__(self, place: Place, display: Display) -> None:
        self._place = place
        self._display = display
        self._environment = place.environment()
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` leaves SIGINT ignored
            signal.signal(number, signal.default_int_handler)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        ended_by_user = kind is not None and issubclass(kind, KeyboardInterrupt)
        if ended_by_user:
            self._display.line("Ending what was started.")
        for child in self._children:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
        return ended_by_user

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start one more. It ends with this process, however that ends: a webserver that stayed
        behind would keep its port.
        """
        follow = partial(end_with_parent, os.getpid(), signal.SIGTERM)
        child = subprocess.Popen(command, env=self._environment, preexec_fn=follow)
        self._children.append(child)
        return child

    def start_dagster(self, host: str, port: int) -> None:
        """The webserver and the daemon, with the known repositories as partitions."""
        web = self.start([program("dagster-webserver"), *LOCATION, "-h", host, "-p", str(port)])
        # The page first: started together, the two would wait for each other's imports.
        _wait_for_port(web, host, port)
        self.start([program("dagster-daemon"), "run", *LOCATION])
        run_chain(self._place, {"command": "register"}, self._display)

    def wait(self) -> None:
        """Until one of them ends, which none should.

        Raises:
            RepoTuneError: with the one that did.
        """
        while all(child.poll() is None for child in self._children):
            time.sleep(0.2)
        ended = next(child for child in self._children if child.returncode is not None)
        name = Path(cast("list[str]", ended.args)[0]).name
        if SERVICE in cast("list[str]", ended.args):
            name = "The service"
        raise RepoTuneError(
            f"{name} ended with {ended.returncode}.",
            "See its messages above; is its port taken?",
        )


def _wait_for_port(web: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Return when the page can be opened, or its server has ended."""
    while web.poll() is None:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _is_ours(place: Place, port: int) -> bool:
    """Whether a Dagster webserver over this very instance answers at `port`.

    Raises:
        UsageError: one over another instance does, whose jobs would be another home's.
    """
    body = json.dumps({"query": "{ instance { info } }"}).encode()
    request = urllib.request.Request(
        f"http://{_LOOPBACK}:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_ASK_SECONDS) as answer:
            info = str(json.load(answer)["data"]["instance"]["info"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if str(place.dagster_home()) in info:
        return True
    raise UsageError(
        f"At port {port} answers a Dagster webserver of another home.",
        "Name another port with --ui-port, or end that one.",
    )

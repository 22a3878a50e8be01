"""A service on a port of its own, over a small home; of Dagster there is its webserver at most."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from repo_tune_pipeline.artifacts import Home, point_latest, write_json
from repo_tune_pipeline.ingestion import save_snapshot
from repo_tune_pipeline.records import Snapshot, SourceFile
from repo_tune_pipeline.registry import Registered, register
from repo_tune_pipeline.retrieval import build_index
from repo_tune_pipeline.service.app import create_app
from repo_tune_pipeline.settings import ServiceSettings, Settings
from repo_tune_pipeline_tests.evaluation.worlds import make_adapter
from repo_tune_pipeline_tests.retrieval.chunks import chunk

NO_DAGSTER = "http://127.0.0.1:9"
QUESTION = {"q": "What does split_header return?"}
FORMS = {
    "query": ("/query", QUESTION),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION["q"]}]}),
    "completion": ("/v1/completions", {"prompt": "def split_header(line):"}),
}
VERSION = "0123456789ab"


def make_home(root: Path, base: Path, *, name: str = "") -> Home:
    """An index of a few functions, and one adapter version of `main` over `base`."""
    home = Home(root)
    sources = {
        "split_header": "def split_header(line):\n    return line.partition(':')\n",
        "join_header": "def join_header(name, value):\n    return f'{name}: {value}'\n",
        "Ledger.add": "def add(self, amount):\n    self.total += amount\n",
    }
    at = {symbol: 1 + 2 * number for number, symbol in enumerate(sources)}
    build_index(
        home.index,
        [
            chunk(symbol, text, start_line=at[symbol], end_line=at[symbol] + 1)
            for symbol, text in sources.items()
        ],
    )
    text = "".join(sources.values()) + "HOSTILE = '<script>alert(1)</script>'\n"
    file = SourceFile("pkg/mod.py", "f" * 40, len(text), "Python", "MIT", text)
    register(home, Registered("acme/tools", "/srv/acme/tools"))
    snapshot = Snapshot("acme/tools", "c" * 40, "/srv/acme/tools", "", (file,), ())
    save_snapshot(home.snapshot("acme/tools"), snapshot)
    make_version(home, VERSION, base, name=name)
    return home


def make_version(home: Home, version: str, base: Path, *, name: str = "") -> None:
    """The newest adapter version of `main`."""
    folder = make_adapter(home.adapters("main") / version, base)
    run = {"variant": "main", "version": version, "base_path": str(base), "profile": "starter"}
    write_json(folder / "run.json", {**run, "base_model": name or str(base), "repositories": {}})
    point_latest(folder)


@contextmanager
def service(
    home: Home, settings: Settings | None = None, dagster: str = NO_DAGSTER, **options: Any
) -> Generator[str]:
    """The service's address, while it runs."""
    app = create_app(home, settings or Settings(service=ServiceSettings()), dagster, **options)
    port = _free_port()
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def webserver(folder: Path) -> Generator[str]:
    """The address of Dagster's webserver over the instance in `folder`, which launches nothing."""
    port, nothing = _free_port(), folder / "workspace.yaml"
    nothing.write_text("load_from: []\n")
    command = [sys.executable, "-m", "dagster_webserver", "-w", nothing, "-p", str(port)]
    with (folder / "webserver.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, "DAGSTER_HOME": str(folder)}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(f"{url}/server_info"):
            assert process.poll() is None, (folder / "webserver.log").read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def client(url: str, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=120, trust_env=False, **options)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(http, form, timeout=120.0, **more):
    """The answer to a question in one of FORMS."""
    path, body = FORMS[form]
    return http.post(path, json={"model": "base", **body, **more}, timeout=timeout)

"""A service on a port of its own, over a small home, without Dagster."""

from __future__ import annotations

import socket
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
def service(home: Home, settings: Settings | None = None, **options: Any) -> Generator[str]:
    """The service's address, while it runs."""
    app = create_app(home, settings or Settings(service=ServiceSettings()), NO_DAGSTER, **options)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
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


def client(url: str, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=120, trust_env=False, **options)

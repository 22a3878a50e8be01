"""Fixtures: a repository to fill, an `ssh` that ends on this machine, a git server over TLS."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from repo_tune_pipeline.ingestion import ingest
from repo_tune_pipeline.records import Snapshot
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import Ran
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer

Ingest = Callable[..., Snapshot]
Case = Callable[[Place], Ran]
Outcome = Callable[[str], Ran]
TRUSTED: dict[str, object] = {
    "allow_ssh": True,
    "private_hosts": ("localhost", "127.0.0.1", "host.test"),
    "licenses": {"trusted": ("*",)},
}
"""The settings under which the servers of these tests may be read."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "work" / "shop")


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    return tmp_path / "mirrors"


@pytest.fixture
def read(mirrors: Path) -> Ingest:
    """`ingest` with the mirrors of this test; settings as keywords, beside TRUSTED."""

    def call(source: object, *, ref: str = "", name: str = "", **settings: object) -> Snapshot:
        return ingest(
            str(source),
            ref=ref,
            name=name,
            settings=IngestionSettings.model_validate(TRUSTED | settings),
            mirrors=mirrors,
        )

    return call


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ssh` on PATH that runs the asked command here and notes its arguments.

    While `slow` stands beside it, it sleeps in place of answering.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$*" >> {folder}/calls\n'
        f"if test -e {folder}/slow; then echo $$ > {folder}/pid; exec sleep 60; fi\n"
        'for last in "$@"; do :; done\n'
        'exec sh -c "$last"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture
def around_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a `git` on PATH that runs some lines of shell, and then "$REAL", the real one."""
    real = shutil.which("git")

    def put(lines: str) -> None:
        folder = tmp_path / "around"
        folder.mkdir()
        program = folder / "git"
        program.write_text(f'#!/bin/sh\nREAL={real}\n{lines}\nexec "$REAL" "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    return put


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine to which, at the end, nothing has connected."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.fixture
def https_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "served", tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    for proxy in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    with server.running():
        yield server


@pytest.fixture(scope="session")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the command ran before: to make Dagster's tables takes it a while."""
    place = Place(tmp_path_factory.mktemp("used") / "place")
    place.ingest("nowhere")
    return place.home


@pytest.fixture(scope="module")
def outcome(
    request: pytest.FixtureRequest, used_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    """How the command ended in each of the module's CASES that a test names; two run at a time."""
    base, here = tmp_path_factory.mktemp("cases"), request.module
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    rows = {item.name.partition("[")[2][:-1] for item in items if item.module is here}
    shared = {name for item in items if item.module is here for name in item.fixturenames}

    def end(name: str, case: Case) -> Ran:
        return case(Place(base / name, used_home))

    cases: dict[str, Case] = here.CASES
    with ThreadPoolExecutor(2) as pool:
        ended = {
            name: pool.submit(end, name, case)
            for name, case in cases.items()
            if name in rows | shared
        }
        yield lambda name: ended[name].result()
        pool.shutdown(cancel_futures=True)

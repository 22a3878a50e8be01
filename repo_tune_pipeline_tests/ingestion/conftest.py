"""Fixtures: a repository to fill, an `ssh` that ends on this machine, a git server over TLS."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from repo_tune_pipeline.ingestion import ingest
from repo_tune_pipeline.records import Snapshot
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer

Ingest = Callable[..., Snapshot]
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


_watching: list[list[str]] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watching and isinstance(arguments[0], str | bytes | os.PathLike):
        _watching[-1].append(os.fsdecode(arguments[0]))


@pytest.fixture(scope="session")
def audit() -> None:
    sys.addaudithook(_note)  # which can't be taken away again


@pytest.fixture
def opened(audit: None) -> Iterator[list[str]]:
    """The paths that this process opens during the test."""
    _watching.append([])
    yield _watching[-1]
    _watching.pop()


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

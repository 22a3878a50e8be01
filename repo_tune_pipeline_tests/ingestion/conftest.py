"""Fixtures: a repository to fill, an `ssh` that ends on this machine, a git server over TLS."""

from __future__ import annotations

import stat
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
def https_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    server = GitServer(tmp_path / "served", tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    for proxy in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    with server.running():
        yield server

"""No private address is ever connected to, however it is spelt and wherever it is led from."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.addresses import is_public
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "0177.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"),
        *("[::ffff:7f00:1]", "localhost", "leads-there.example"),
    ],
)
@pytest.mark.parametrize("form", ["https://{}:{}/a/b", "ssh://git@{}:{}/a/b"])
def test_loopback_in_any_spelling_and_a_name_that_leads_there_are_refused(
    host: str, form: str, read: Ingest, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener fails the test if anything connects."""
    _resolve_as_loopback(monkeypatch, "leads-there.example")
    port = listener.getsockname()[1]
    with pytest.raises(SourceError, match="private"):
        read(form.format(host, port), private_hosts=[])


def _resolve_as_loopback(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    resolve = socket.getaddrinfo

    def answer(host: str, *rest: object, **named: object) -> object:
        return resolve("127.0.0.1" if host == name else host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize(
    "host", ["[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "10.0.0.1", "169.254.169.254"]
)
def test_private_addresses_are_refused(host: str, read: Ingest) -> None:
    with pytest.raises(SourceError, match="private"):
        read(f"https://{host}/a/b", private_hosts=[])


def test_what_is_public_is_told_from_what_is_not() -> None:
    reserved = """0.0.0.0 10.1.2.3 100.64.0.1 127.9.9.9 169.254.1.1 172.16.0.1 192.168.0.1 224.0.0.1
        240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::1
        2002:7f00:1:: 2001:0:1::1 fc00::1 fe80::1%eth0 fec0::1 ff02::1 ::ffff:0:127.0.0.1 x"""
    assert [address for address in reserved.split() if is_public(address)] == []
    public = "8.8.8.8 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::"
    assert all(is_public(address) for address in public.split())


def test_a_redirect_to_a_private_address_is_refused_without_a_connection(
    repository: Repository, read: Ingest, https_server: GitServer, listener: socket.socket
) -> None:
    source = f"https://localhost:{https_server.port}/team/shop.git"
    https_server.redirect = f"https://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(SourceError, match="private"):
        read(source, private_hosts=["localhost"])
    for target, why in (("http://localhost", "isn't followed"), ("", "more than 5 redirects")):
        https_server.redirect = target or f"https://localhost:{https_server.port}"
        with pytest.raises(SourceError, match=why):
            read(source)


def test_git_connects_to_the_address_that_was_checked(
    repository: Repository,
    read: Ingest,
    https_server: GitServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = repository.commit({"a.py": "x = 1\n"})
    served = https_server.root / "team" / "shop.git"
    repository.git("clone", "--quiet", "--bare", "--no-local", ".", str(served))
    # The name exists nowhere but in our own check: git can only know it from what was pinned.
    _resolve_as_loopback(monkeypatch, "pinned.invalid")
    source = f"https://pinned.invalid:{https_server.port}/team/shop.git"
    assert read(source, private_hosts=["pinned.invalid"]).commit == commit


@pytest.mark.parametrize("where", ["the handshake", "the answer"])
def test_a_server_that_sends_a_byte_a_second_is_given_up_at_the_deadline(
    where: str, read: Ingest, https_server: GitServer
) -> None:
    if where == "the answer":
        https_server.drips = "git/"
        _assert_given_up(read, https_server.port)
        return
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server,), daemon=True).start()
        _assert_given_up(read, server.getsockname()[1])


def _drip(server: socket.socket) -> None:
    server.settimeout(10)
    connection, _ = server.accept()
    with connection, suppress(OSError):
        for byte in b"\x16\x03\x03\x40\x00" + bytes(15):
            connection.sendall(bytes([byte]))
            time.sleep(0.5)


def _assert_given_up(read: Ingest, port: int) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError, match="within 2 seconds"):
        read(f"https://127.0.0.1:{port}/a/b", timeout_seconds=2)
    assert time.monotonic() - begun < 15


def test_ssh_is_refused_where_it_is_not_allowed(read: Ingest, fake_ssh: Path) -> None:
    for source in ("ssh://git@host.test/a/b", "git@host.test:a/b"):
        with pytest.raises(SourceError, match="which is off"):
            read(source, allow_ssh=False)
    assert not (fake_ssh / "calls").exists()

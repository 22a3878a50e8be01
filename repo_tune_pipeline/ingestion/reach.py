"""The way to a remote repository: every address on it is checked before anything connects.

git follows redirects by itself and asks the resolver again, so it gets neither to decide: the
redirects of an https URL are followed here, one by one, and git is then started on where they end,
with that host's checked addresses pinned and redirects off. Behind a proxy (`https_proxy`) the
proxy resolves names: what this machine resolves to a private address is still refused, and no
redirect is followed.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.addresses import checked_addresses, is_private_host
from repo_tune_pipeline.ingestion.processes import Deadline, printable
from repo_tune_pipeline.ingestion.sources import Remote
from repo_tune_pipeline.settings import IngestionSettings

_QUESTION = "/info/refs?service=git-upload-pack"
_MAX_HOPS = 5
_CONNECT_SECONDS = 20.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Reach:
    """A remote repository and how it may be reached; nothing is asked before it must be."""

    remote: Remote
    shown: str
    settings: IngestionSettings
    deadline: Deadline

    @cached_property
    def checked(self) -> Remote:
        """The remote as git is to be given it.

        Raises:
            SourceError: an address on the way isn't public, the server doesn't answer, or leads
                to what isn't followed.
        """
        if not self.remote.url.startswith("https://"):
            return self._pinned_ssh()
        if _has_proxy(_split(self.remote.url)[0]):
            return self._behind_proxy()
        remote = self.remote
        for _ in range(_MAX_HOPS + 1):
            host, port = _split(remote.url)
            addresses = self._addresses(host, port)
            target = self._redirect(remote, host, port, addresses)
            if not target:
                return _configured(remote, _pin(host, port, addresses))
            remote = self._moved(remote, target)
        raise SourceError(
            f"{self.shown} leads through more than {_MAX_HOPS} redirects.",
            "Name the repository's own address.",
        )

    def _addresses(self, host: str, port: int) -> list[str]:
        private = self.settings.private_hosts
        return checked_addresses(host, port, self.shown, private, self.deadline.remaining)

    def _behind_proxy(self) -> Remote:
        host, port = _split(self.remote.url)
        try:
            self._addresses(host, port)
        except SourceError as error:
            if "has no address" not in error.problem:
                raise
        return _configured(self.remote, {})

    def _pinned_ssh(self) -> Remote:
        """The address is checked and pinned; a host named as private may be an alias of ssh's."""
        host, port = _ssh_host(self.remote.url)
        if is_private_host(host, self.settings.private_hosts):
            return self.remote
        address = self._addresses(host, port)[0]
        alias = host if port == 22 else f"[{host}]:{port}"
        return replace(
            self.remote, ssh_options=(f"-oHostName={address}", f"-oHostKeyAlias={alias}")
        )

    def _redirect(self, remote: Remote, host: str, port: int, addresses: list[str]) -> str:
        """Where the server sends a request for the repository's refs on to, or nothing."""
        sock: socket.socket | None = None
        other: socket.socket | None = None
        watch: threading.Timer | None = None
        try:
            sock = _connect(addresses, port, self.deadline)
            other = sock.dup()  # TLS takes the socket over; this one still ends the connection
            watch = threading.Timer(self.deadline.remaining, _end, (other,))
            watch.daemon = True
            watch.start()
            return _ask(sock, remote, host, port)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._silent(error) from None
        finally:
            if watch is not None:
                watch.cancel()
            for one in (sock, other):
                if one is not None:
                    one.close()

    def _silent(self, error: Exception) -> SourceError:
        if self.deadline.is_over or isinstance(error, TimeoutError):
            return SourceError(
                f"{self.shown} wasn't read within {self.deadline.seconds:g} seconds.",
                "Check the network, or raise `ingestion.timeout_seconds`.",
            )
        why = error.strerror if isinstance(error, OSError) else "its answer isn't HTTP"
        return SourceError(
            f"{self.shown} can't be read: {printable(why or str(error))[:200]}.",
            "Check the address and the network.",
        )

    def _moved(self, remote: Remote, target: str) -> Remote:
        """The remote at the place that a redirect names."""
        url = target.removesuffix(_QUESTION)
        try:
            parts = urlsplit(url)
            host, port = _split(url)
        except ValueError:
            host, port, parts = "", 0, SplitResult("", "", "", "", "")
        plain = parts.scheme == "https" and "@" not in parts.netloc and url.isprintable()
        if url == target or not plain or not host or parts.query or parts.fragment:
            raise SourceError(
                f"{self.shown} leads to {printable(target)[:200]}, which isn't followed.",
                "Name the repository's own address.",
            )
        if remote.config and (host, port) != _split(remote.url):
            raise SourceError(
                f"{self.shown} leads to another host, and a token isn't carried there.",
                "Name the repository's own address.",
            )
        config = {f"http.{url}.extraHeader": value for value in remote.config.values()}
        return Remote(url, config)


def _configured(remote: Remote, pin: dict[str, str]) -> Remote:
    return replace(remote, config=remote.config | pin | {"http.followRedirects": "false"})


def _pin(host: str, port: int, addresses: list[str]) -> dict[str, str]:
    if ":" in host:
        return {}  # a literal IPv6 address resolves to nothing but itself
    listed = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return {"http.curloptResolve": f"{host}:{port}:{listed}"}


def _split(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443


def _ssh_host(url: str) -> tuple[str, int]:
    if url.startswith("ssh://"):
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or 22
    return url.partition(":")[0].rpartition("@")[2], 22


def _has_proxy(host: str) -> bool:
    proxies = getproxies_environment()
    used = "https" in proxies or "all" in proxies
    return used and not proxy_bypass(host)


def _connect(addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
    for number, address in enumerate(addresses, start=1):
        seconds = min(deadline.remaining, _CONNECT_SECONDS)
        try:
            sock = socket.create_connection((address, port), timeout=seconds)
        except OSError:
            if number == len(addresses):
                raise
        else:
            sock.settimeout(deadline.remaining)
            return sock
    raise OSError("no address to connect to")


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _ask(sock: socket.socket, remote: Remote, host: str, port: int) -> str:
    tls = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    with tls:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = tls
        where = urlsplit(remote.url)
        headers = {"User-Agent": "git/repo-tune", "Accept": "*/*"}
        headers |= dict(value.split(": ", 1) for value in remote.config.values())
        connection.putrequest("GET", where.path + _QUESTION, skip_host=True)
        connection.putheader("Host", where.netloc)
        for key, value in headers.items():
            connection.putheader(key, value)
        connection.endheaders()
        answer = connection.getresponse()
        if answer.status not in _REDIRECTS:
            return ""
        return urljoin(remote.url + _QUESTION, answer.getheader("Location", ""))

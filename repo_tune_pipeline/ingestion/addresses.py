"""Which addresses may be connected to: those of the public internet, and hosts named by the user.

The spelling of an address doesn't matter (`0177.1`, `0x7f.1`, `[::ffff:127.0.0.1]`, a name): what
it resolves to is judged, and that very address is then used.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Collection

from repo_tune_pipeline.errors import SourceError, UnreachableError

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_addresses(
    host: str, port: int, shown: str, private_hosts: Collection[str], seconds: float
) -> list[str]:
    """The addresses of `host`, each of them one that may be connected to; sorted.

    Args:
        host: a name or a literal address in any spelling, without brackets.
        port: only handed to the resolver.
        shown: the source's name in messages.
        private_hosts: hosts that may lie anywhere.
        seconds: how long the resolver may take.

    Raises:
        UnreachableError: the host has no address.
        SourceError: it has one that isn't public.
    """
    found = _resolve(host, port, seconds)
    if not found:
        raise UnreachableError(
            f"{shown} can't be read: the host {host} has no address.",
            "Check its spelling and the network.",
        )
    if not is_private_host(host, private_hosts) and not all(map(is_public, found)):
        raise SourceError(
            f"{shown} isn't read: {host} is a loopback, private or otherwise reserved address.",
            "If it is a server of your own network, name it in `ingestion.private_hosts`.",
        )
    return found


def is_private_host(host: str, private_hosts: Collection[str]) -> bool:
    """Whether the user named this host as one that may lie at a private address."""
    return host.lower() in {name.lower() for name in private_hosts}


def is_public(address: str) -> bool:
    """Whether a literal address is one of the public internet, seen through any translation."""
    try:
        plain = _untranslated(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(plain, ipaddress.IPv6Address) and plain not in _GLOBAL_UNICAST:
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _untranslated(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, if it does.

    Raises:
        ValueError: a Teredo address, which may lead to any client.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.teredo is not None:
        raise ValueError
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """What the system's resolver says; nothing once `seconds` are over (it has no limit itself)."""
    found: set[str] = set()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.update(str(row[4][0]) for row in rows)

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(seconds)
    return [] if asker.is_alive() else sorted(found)

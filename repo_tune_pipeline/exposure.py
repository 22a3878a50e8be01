"""Who can reach the service where it listens, and what that demands."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from repo_tune_pipeline.errors import UsageError

TOKEN_VARIABLE = "REPO_TUNE_API_TOKEN"


def is_loopback(host: str) -> bool:
    """Whether a host name or literal address is this machine's own, and nobody else's."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_of(url: str) -> str:
    """The host that a URL names, without its port; empty where there is none to be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def require_token(host: str, token: str) -> None:
    """Return if others than this machine's users can't ask, or must know a token.

    Raises:
        UsageError: with what to do.
    """
    if not is_loopback(host) and not token:
        raise UsageError(
            f"At {host} anyone on the network could ask this service.",
            f"Set {TOKEN_VARIABLE}, or serve at 127.0.0.1.",
        )

"""Who may ask, from where, and how much at once: checked before any endpoint is reached."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from repo_tune_pipeline.exposure import is_loopback
from repo_tune_pipeline.service.problems import problem

MAX_BODY = 1024 * 1024
"""Bytes."""
_OPEN = frozenset({"/health", "/health/ready"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """Middleware that turns away what has no business here.

    - Without the token, where one is set: 401, on every path but health.
    - A page of another origin that lets its reader's browser write here: 403. So is a name that
      isn't ours while no token is asked for, or any page could reach a loopback service by letting
      its own name lead there (DNS rebinding).
    - A body of more than 1 MiB: 413, whatever its length was said to be.

    Args:
        app: what is guarded.
        token: that callers must know; empty asks for none.
        hosts: names by which this service is known while no token is asked for.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Collection[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            status, detail, remedy = refused
            more = {"WWW-Authenticate": 'Bearer, Basic realm="repo-tune"'} if status == 401 else {}
            answer = problem(scope["path"], status, detail, remedy, headers=more)
            await answer(scope, receive, send)
            return
        await self._app(scope, _limited(receive), send)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        if self._token and scope["path"] not in _OPEN and not self._knows_token(headers):
            return 401, "This service asks for a token.", "Send `Authorization: Bearer TOKEN`."
        host = _host(headers.get("host", ""))
        if not self._token and host not in self._hosts and not is_loopback(host):
            return 403, "This service isn't known by that name.", "Ask it at 127.0.0.1."
        if scope["method"] not in _SAFE_METHODS and _is_from_elsewhere(headers):
            return 403, "Another site's page may not write here.", ""
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > MAX_BODY:
            return 413, *_TOO_LARGE
        return None

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            # What a browser sends once its user was asked: any name, the token as the password.
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), self._token)


_TOO_LARGE = ("The body is larger than 1 MiB.", "Ask about less text.")


def _limited(receive: Receive) -> Receive:
    """`receive` that gives up, with an answer's status, once too much has come."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise HTTPException(413, " ".join(_TOO_LARGE), {"Connection": "close"})
        return message

    return limited


def _host(given: str) -> str:
    return (urlsplit(f"//{given}").hostname or "").lower() if given else ""


def _is_from_elsewhere(headers: Headers) -> bool:
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()

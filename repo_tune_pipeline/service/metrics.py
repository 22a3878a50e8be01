"""Counts for Prometheus and a line a request for people, by route and never by content."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REQUESTS = Counter("repo_tune_requests", "Requests answered.", ["method", "route", "status"])
_SECONDS = Histogram(
    "repo_tune_request_seconds",
    "Seconds until an answer was whole.",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.25, 1, 5, 20, 60),
)
_UNDER_WAY = Gauge(
    "repo_tune_questions_under_way", "Questions that are searched for, wait or are being answered."
)
_WAITING = Gauge("repo_tune_questions_waiting", "Questions that wait for a local model's turn.")
_log = logging.getLogger("repo_tune_pipeline.service.requests")


class Observed:
    """Middleware that counts and logs what the endpoints answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = time.monotonic() - began
            route = getattr(scope.get("route"), "path", "none")
            _REQUESTS.labels(scope["method"], route, status).inc()
            _SECONDS.labels(route).observe(seconds)
            parameters = scope.get("path_params") or {}
            _log.info(
                "request",
                extra={
                    "told": {
                        "method": scope["method"],
                        "route": route,
                        "status": status,
                        "ms": round(seconds * 1000, 1),
                        **({"job_id": parameters["job_id"]} if "job_id" in parameters else {}),
                    }
                },
            )


def exposition(under_way: int, waiting: int) -> bytes:
    """All of it as Prometheus reads it, with how many questions there are now."""
    _UNDER_WAY.set(under_way)
    _WAITING.set(waiting)
    return generate_latest()


class JsonLines(logging.Formatter):
    """One JSON object a line; of an exception its type and place, not what it was about."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["at"] = _innermost(record.exc_info[2])
        return json.dumps(told, ensure_ascii=False)


def _innermost(trace: Any) -> str:
    place = ""
    while trace is not None:
        frame = trace.tb_frame
        place = f"{frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place

"""Errors as answers: RFC 9457 problem details, or OpenAI's form below /v1."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import (
    BusyError,
    ConfigError,
    DagsterError,
    EmptyInputError,
    ModelServerError,
    NotAllowedError,
    RepoTuneError,
    SourceError,
    UnsupportedError,
    UsageError,
)
from repo_tune_pipeline.service.places import without_places

MEDIA_TYPE = "application/problem+json"
OPENAI_PREFIX = "/v1/"

_STATUS: tuple[tuple[type[RepoTuneError], int], ...] = (
    (BusyError, 503),
    (DagsterError, 503),
    (ModelServerError, 502),
    (NotAllowedError, 403),
    (ConfigError, 403),
    (EmptyInputError, 404),
    (SourceError, 404),
    # OpenAI's own server answers so where a model isn't made for an endpoint.
    (UnsupportedError, 404),
    (UsageError, 422),
)
_log = logging.getLogger(__name__)


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "A fine-tune job of main is under way.",
                    "job_id": "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1",
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str = ""
    job_id: str | None = None
    errors: list[dict[str, Any]] | None = None


class JobConflictError(RepoTuneError):
    """What was asked for doesn't go with the state of a job: such a one is under way already, or
    it can't be ended.
    """

    def __init__(
        self, problem: str, job_id: str, remedy: str = "Wait for it, or cancel it."
    ) -> None:
        self.job_id = job_id
        super().__init__(problem, remedy)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint that may answer with these problems."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def openai_documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for endpoints of OpenAI's protocol."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}
            },
        }
        for status in statuses
    }


def problem(
    path: str,
    status: int,
    detail: str,
    remedy: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """An error for the endpoint at `path`, in the form that its clients read."""
    title = HTTPStatus(status).phrase
    if path.startswith(OPENAI_PREFIX):
        kind = "invalid_request_error" if status < 500 else "server_error"
        message = f"{detail} {remedy}".strip()
        body: dict[str, Any] = {
            "error": {"message": message, "type": kind, "param": None, "code": _code(status)}
        }
        return JSONResponse(body, status, headers=headers)
    told = Problem(title=title, status=status, detail=detail, remedy=remedy, **more)
    body = told.model_dump(exclude_none=True, exclude_defaults=False)
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, home: Home) -> None:
    """Let every error of `app` be told in these forms, without a trace of this machine."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RepoTuneError):
            raise error
        more = {"job_id": error.job_id} if isinstance(error, JobConflictError) else {}
        status = 409 if more else status_of(error)
        headers = (
            {"Retry-After": f"{error.retry_after:.0f}"} if isinstance(error, BusyError) else {}
        )
        return problem(
            request.url.path,
            status,
            without_places(error.problem, home),
            without_places(error.remedy, home),
            headers=headers,
            **more,
        )

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        found = [
            {"loc": list(one["loc"]), "msg": one["msg"]} for one in jsonable_encoder(error.errors())
        ]
        first = found[0]
        where = ".".join(map(str, first["loc"]))
        return problem(request.url.path, 422, f"{where}: {first['msg']}.", errors=found)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # The framework names the methods of one route; a path may have several.
            headers["Allow"] = ", ".join(sorted(_methods(app, request)))
        return problem(request.url.path, error.status_code, str(error.detail), headers=headers)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected", exc_info=error)
        return problem(
            request.url.path, 500, "Something unexpected went wrong.", "See the service's log."
        )

    app.add_exception_handler(RepoTuneError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(Exception, unexpected)


def _methods(app: FastAPI, request: Request) -> set[str]:
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.methods and compile_path(route.path or "")[0].match(request.url.path):
            found |= route.methods
    return found


def status_of(error: RepoTuneError) -> int:
    """The HTTP status that says most nearly what went wrong."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _code(status: int) -> str | None:
    return {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}.get(status)

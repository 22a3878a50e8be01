"""The ASGI application, put together."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from starlette.responses import Response

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.service.admission import Admission, most_under_way
from repo_tune_pipeline.service.dagster import Dagster
from repo_tune_pipeline.service.examples import EXAMPLES
from repo_tune_pipeline.service.guard import Guard
from repo_tune_pipeline.service.jobs import Jobs
from repo_tune_pipeline.service.local_models import LoadVersion, LocalModels, load_version
from repo_tune_pipeline.service.metrics import Observed
from repo_tune_pipeline.service.models import Models
from repo_tune_pipeline.service.openai_wire import ErrorAnswer
from repo_tune_pipeline.service.problems import Problem, install
from repo_tune_pipeline.service.routes import ask, jobs, openai, overview, page
from repo_tune_pipeline.service.routes.ask import ClientGoneError
from repo_tune_pipeline.service.state import Service
from repo_tune_pipeline.settings import Settings

_CLIENT_GONE = 499
"""nginx's number for a caller that didn't wait; nobody reads it but the log."""
_OPEN = ("/health", "/health/ready")


def create_app(
    home: Home,
    settings: Settings,
    dagster_url: str,
    *,
    token: str = "",
    hosts: tuple[str, ...] = (),
    load: LoadVersion = load_version,
    environ: Mapping[str, str] = os.environ,
) -> FastAPI:
    """The service over one home.

    Args:
        home: where everything lies.
        settings: of answering and the service.
        dagster_url: the Dagster webserver that starts and knows the jobs.
        token: that every caller must send; empty asks for none.
        hosts: names beside loopback's by which the service is known while no token is asked for.
        load: gives the models of an adapter version.
        environ: where keys are looked up.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        dagster = Dagster(dagster_url)
        most = most_under_way(settings.service)
        local = LocalModels(home, most, load)
        models = Models(home, settings, local, Admission(most), environ)
        app.state.service = Service(home, settings, dagster, Jobs(dagster, home), models)
        yield
        models.close()
        await dagster.close()

    # The documentation page from this machine alone, and not from a content network.
    app = FastAPIOffline(
        static_url="/docs-files",
        title="repo-tune",
        summary="Ask a model that knows your repositories; start and watch its making.",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
    )
    install(app, home)

    async def gone(request: Request, error: Exception) -> Response:
        del request, error
        return Response(status_code=_CLIENT_GONE)

    app.add_exception_handler(ClientGoneError, gone)
    for module in (ask, jobs, overview, openai, page):
        app.include_router(module.router)
    app.mount("/page", StaticFiles(directory=page.FOLDER / "static"))
    app.add_middleware(Guard, token=token, hosts=hosts)
    app.add_middleware(Observed)
    app.openapi = lambda: _openapi(app, with_token=bool(token))
    return app


def _openapi(app: FastAPI, *, with_token: bool) -> dict[str, object]:
    """The document, with examples, the form of errors and, where there is one, the token."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, ErrorAnswer):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    # Not on the models: FastAPI leaves every null out of what stands there.
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    for path, operations in made["paths"].items():
        refused = "ErrorAnswer" if path.startswith("/v1/") else "Problem"
        kind = "application/json" if path.startswith("/v1/") else "application/problem+json"
        content = {kind: {"schema": {"$ref": f"#/components/schemas/{refused}"}}}
        for operation in operations.values():
            if with_token and path not in _OPEN:
                operation["security"] = [{"token": []}]
                operation["responses"]["401"] = {"description": "No token", "content": content}
            operation["responses"].setdefault("403", {"description": "Refused", "content": content})
    if with_token:
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    app.openapi_schema = made
    return made

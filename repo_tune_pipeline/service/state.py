"""What the endpoints share: made when the service starts, found through the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.service.dagster import Dagster
from repo_tune_pipeline.service.jobs import Jobs
from repo_tune_pipeline.service.models import Models
from repo_tune_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """One service over one home and one Dagster webserver."""

    home: Home
    settings: Settings
    dagster: Dagster
    jobs: Jobs
    models: Models


async def _service(request: Request) -> Service:
    return request.app.state.service


TheService = Annotated[Service, Depends(_service)]

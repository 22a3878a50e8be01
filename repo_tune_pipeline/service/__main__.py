"""`python -m repo_tune_pipeline.service`: the HTTP service alone; `repo-tune serve` starts it.

The token is read from REPO_TUNE_API_TOKEN, and home and configuration from the environment, since
the argument list can be read by every user of the machine.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

import uvicorn

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.exposure import TOKEN_VARIABLE, require_token
from repo_tune_pipeline.service.app import create_app
from repo_tune_pipeline.service.metrics import JsonLines
from repo_tune_pipeline.settings import home_dir, load_settings

_BACKLOG = 256
_STOP_SECONDS = 5


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="repo_tune_pipeline.service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--dagster-url", default="http://127.0.0.1:3000")
    given = parser.parse_args()
    try:
        token = os.environ.get(TOKEN_VARIABLE, "")
        require_token(given.host, token)
        config = os.environ.get("REPO_TUNE_CONFIG")
        settings = load_settings(Path(config) if config else None)
        app = create_app(
            Home(home_dir()), settings, given.dagster_url, token=token, hosts=(given.host,)
        )
    except RepoTuneError as error:
        sys.exit(f"{error.problem} {error.remedy}".strip())
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


if __name__ == "__main__":
    main()

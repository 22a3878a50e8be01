"""The `repo-tune` program: its commands, and the one place where an error becomes a message."""

from __future__ import annotations

import sys

import click
import orjson
import typer

from repo_tune_pipeline.cli import export, servers, services, stages
from repo_tune_pipeline.cli.ask import ask
from repo_tune_pipeline.cli.champion import champion
from repo_tune_pipeline.cli.client_config import client_config
from repo_tune_pipeline.cli.prune import prune
from repo_tune_pipeline.errors import RepoTuneError

app = typer.Typer(
    name="repo-tune",
    help="From your repositories to a model that knows them, with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    stages.demo,
    stages.ingest,
    stages.generate_data,
    stages.train,
    stages.evaluate,
    stages.run,
    ask,
    champion,
    servers.serve,
    client_config,
    servers.ui,
    services.doctor,
    services.repos,
    prune,
):
    app.command()(command)
app.add_typer(export.app, name="export")

CTRL_C = 130
"""What typer makes of Ctrl-C."""


def main() -> None:
    """Run a command; 0 done, 1 failed, 2 wrong use or wrong configuration."""
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RepoTuneError as error:
        return _tell(error.problem, error.remedy, error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = CTRL_C
    except BrokenPipeError:
        return 1
    if code == CTRL_C:
        return _tell("Interrupted.", "What was finished is kept; the same command goes on.", 1)
    return code if isinstance(code, int) else 0


def _tell(problem: str, remedy: str, code: int) -> int:
    sys.stderr.write(f"repo-tune: {problem}\n")
    if remedy:
        sys.stderr.write(f"  {remedy}\n")
    if "--json" in sys.argv:
        told = {"error": problem, "remedy": remedy, "exit_code": code}
        sys.stdout.write(orjson.dumps(told).decode() + "\n")
    return code

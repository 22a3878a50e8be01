"""Errors of this package as Dagster failures that a person can read."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from repo_tune_pipeline.errors import RepoTuneError, UnreachableError

UNATTENDED = {"dagster/max_retries": "1"}
"""Tags of a run that nobody started: if its process dies, Dagster starts it once more."""
TRIES = 3
PAUSE_SECONDS = 60


@contextmanager
def readable_failures() -> Generator[None]:
    """Turn a RepoTuneError into a `dagster.Failure` that carries its message and exit code."""
    try:
        yield
    except RepoTuneError as error:
        raise failure(error.problem, error.remedy, error.exit_code) from None


@contextmanager
def tried_again(context: dg.AssetExecutionContext) -> Generator[None]:
    """Where nobody waits for the answer, ask a server that doesn't answer `TRIES` times."""
    try:
        yield
    except UnreachableError as error:
        unattended = UNATTENDED.keys() <= context.run.tags.keys()
        if unattended and context.retry_number + 1 < TRIES:
            raise dg.RetryRequested(TRIES - 1, PAUSE_SECONDS) from error
        raise


def failure(problem: str, remedy: str, exit_code: int) -> dg.Failure:
    """A failure that isn't retried: the same input would fail the same way."""
    return dg.Failure(
        description=f"{problem} {remedy}".strip(),
        metadata={"problem": problem, "remedy": remedy, "exit_code": exit_code},
        allow_retries=False,
    )

"""Errors of this package as Dagster failures that a person can read."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from repo_tune_pipeline.errors import RepoTuneError


@contextmanager
def readable_failures() -> Generator[None]:
    """Turn a RepoTuneError into a `dagster.Failure` that carries its message and exit code."""
    try:
        yield
    except RepoTuneError as error:
        raise failure(error.problem, error.remedy, error.exit_code) from None


def failure(problem: str, remedy: str, exit_code: int) -> dg.Failure:
    """A failure that isn't retried: the same input would fail the same way."""
    return dg.Failure(
        description=f"{problem} {remedy}".strip(),
        metadata={"problem": problem, "remedy": remedy, "exit_code": exit_code},
        allow_retries=False,
    )

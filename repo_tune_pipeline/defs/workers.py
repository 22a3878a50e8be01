"""Starting a worker process through Dagster Pipes and reading how it ended."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.defs.failures import failure, readable_failures


def run_worker(
    context: dg.AssetExecutionContext, module: str, plan: Path
) -> dg.MaterializeResult[Any]:
    """Run `python -m module plan` and return what it reported about the asset.

    Raises:
        dagster.Failure: the worker ended without a report; the description is its own error.
    """
    told = plan.parent / "error.json"
    told.unlink(missing_ok=True)
    with _explained(told, module):
        # A child that exits well without reporting would otherwise count as a success.
        return (
            dg.PipesSubprocessClient(forward_termination=True)
            .run(context=context, command=[sys.executable, "-m", module, str(plan)])
            .get_materialize_result(implicit_materialization=False)
        )


@contextmanager
def _explained(told: Path, module: str) -> Generator[None]:
    try:
        with readable_failures():
            yield
    except dg.Failure:
        raise
    except Exception as error:
        if not told.is_file():
            problem = f"The worker {module} ended without a report: {error}"
            raise failure(problem, "See the run's log.", 1) from None
        said = read_json(told)
        code = said.get("exit_code", 1)
        raise failure(
            str(said["problem"]), str(said["remedy"]), code if isinstance(code, int) else 1
        ) from None

"""Executing one job in this process, recorded in the instance, with a readable failure."""

from collections.abc import Mapping

import dagster as dg

from repo_tune_pipeline.errors import RepoTuneError


class RunFailedError(RepoTuneError):
    """A Dagster run that failed, with the failing step's own message and exit code."""

    def __init__(self, problem: str, remedy: str, exit_code: int, run_id: str) -> None:
        super().__init__(problem, remedy)
        self.exit_code = exit_code
        self.run_id = run_id


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    partition_key: str | None = None,
    ops: Mapping[str, object] | None = None,
) -> str:
    """Run `job` to its end.

    Returns:
        The run's id.

    Raises:
        RunFailedError: a step failed, or somebody ended the run.
    """
    result = job.execute_in_process(
        instance=instance,
        partition_key=partition_key,
        run_config={"ops": dict(ops)} if ops else None,
        raise_on_error=False,
    )
    if result.success:
        return result.run_id
    if result.dagster_run.status is dg.DagsterRunStatus.CANCELED:
        problem = f"The run {result.run_id} of {job.name} was canceled."
        remedy = "What it finished is kept: start it again to go on from there."
        raise RunFailedError(problem, remedy, 1, result.run_id)
    for event in result.all_events:
        if event.is_step_failure:
            raise _explained(event, result.run_id)
    problem = f"The run {result.run_id} of {job.name} failed before its first step."
    raise RunFailedError(problem, "See its log in the Dagster UI.", 1, result.run_id)


def _explained(event: dg.DagsterEvent, run_id: str) -> RunFailedError:
    data = event.step_failure_data
    said = data.user_failure_data
    if said is not None and "problem" in said.metadata:
        told = {name: value.value for name, value in said.metadata.items()}
        code = told["exit_code"]
        return RunFailedError(
            str(told["problem"]),
            str(told["remedy"]),
            code if isinstance(code, int) else 1,
            run_id,
        )
    reason = data.error.message.strip() if data.error else "no error was recorded"
    cause = data.error.cause.message.strip() if data.error and data.error.cause else ""
    problem = f"Step {event.step_key} failed: {cause or reason}"
    return RunFailedError(problem, f"Its log is under run {run_id} in the Dagster UI.", 1, run_id)

"""The process that evaluates one plan: `python -m repo_tune_pipeline.evaluation.worker PLAN_JSON`.

Launched by Dagster it reports through Pipes; launched by hand it ends with a line on stdout.
Progress goes to stderr, or to Dagster's log.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from dagster_pipes import PipesContext, PipesEnvVarParamsLoader, open_dagster_pipes

from repo_tune_pipeline.artifacts import (
    Home,
    digest_file,
    new_folder,
    point_latest,
    write_file,
    write_json,
)
from repo_tune_pipeline.device import held_device
from repo_tune_pipeline.errors import EvaluationError, RepoTuneError
from repo_tune_pipeline.evaluation.measuring import measure
from repo_tune_pipeline.evaluation.metrics import ALL
from repo_tune_pipeline.evaluation.plan import EvaluationPlan, load_plan
from repo_tune_pipeline.evaluation.render import (
    headline,
    markdown_numbers,
    render_html,
    render_markdown,
)
from repo_tune_pipeline.evaluation.report import Report, build_report
from repo_tune_pipeline.models.quiet import stay_offline

_SECONDS_BETWEEN_NEWS = 2.0


def evaluate(
    plan: EvaluationPlan, say: Callable[[str], None], every_news: Callable[[], None] = lambda: None
) -> Report:
    """Measure, decide, and leave the report in the plan's folder.

    Args:
        plan: what is measured.
        say: told how far it is.
        every_news: called with each piece of news and while it waits; what it raises ends it.

    Raises:
        BaseModelError: the base model can't be loaded.
        EvaluationError: an adapter can't be loaded.
        EmptyInputError: no held-out example is the variant's and fits the model.
        StorageError: the report couldn't be written; nothing is left behind.
    """
    with held_device(Home(plan.home), say, every_news):
        measured = measure(plan, say, _throttled(say, every_news))
    report = build_report(plan, measured)
    save_report(report)
    return report


def save_report(report: Report) -> None:
    """Write the report's folder, whole or not at all, and point `latest` at it."""
    folder = report.plan.folder
    with new_folder(folder) as building:
        write_json(building / "report.json", report.data)
        write_file(building / "report.html", render_html(report).encode())
        write_file(building / "report.md", render_markdown(report).encode())
        write_json(building / "timings.json", report.timings)
        lines = (prediction.as_line() for prediction in report.predictions)
        write_file(building / "predictions.jsonl", lines)
    point_latest(folder)


def metadata_of(report: Report, seconds: float) -> dict[str, Any]:
    """What Dagster shows of a report."""
    folder, counts = report.plan.folder, report.data["settings"]["counts"]
    values = {
        f"bits_per_byte_{cell.title.replace(' ', '_')}": found
        for cell in report.comparison.cells
        if (found := report.comparison.value(cell, ALL, "bits_per_byte")) is not None
    }
    summary = "\n".join(
        [f"**{headline(report)}**", "", *report.verdict.reasons, "", *markdown_numbers(report)]
    )
    return {
        "verdict": report.verdict.decision,
        **values,
        "examples": counts["scored"],
        "files": counts["files"],
        "report_html": {"raw_value": str(folder / "report.html"), "type": "path"},
        "report_json": {"raw_value": str(folder / "report.json"), "type": "path"},
        "summary": {"raw_value": summary, "type": "md"},
        "seconds": round(seconds, 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run one plan; the exit status is 0, or that of the error."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print("usage: python -m repo_tune_pipeline.evaluation.worker PLAN_JSON", file=sys.stderr)
        return 2
    # Ended by its parent, it cleans up as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stay_offline()
    work_dir = Path(given[0]).parent
    try:
        launched = PipesEnvVarParamsLoader().is_dagster_pipes_process()
        with open_dagster_pipes() if launched else nullcontext() as pipes:
            _run(Path(given[0]), pipes)
    except RepoTuneError as error:
        said = {"problem": error.problem, "remedy": error.remedy, "exit_code": error.exit_code}
        write_json(work_dir / "error.json", said)
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("The evaluation was stopped; nothing was written.", file=sys.stderr)
        return 130
    return 0


def _run(path: Path, pipes: PipesContext | None) -> None:
    started = time.monotonic()
    plan = load_plan(path)
    (plan.work_dir / "error.json").unlink(missing_ok=True)
    if pipes:
        report = evaluate(plan, pipes.log.info, _while_parent_lives())
    else:
        report = evaluate(plan, _to_stderr)
    seconds = time.monotonic() - started
    if pipes:
        pipes.report_asset_materialization(
            metadata=metadata_of(report, seconds),
            data_version=digest_file(plan.folder / "report.json"),
        )
    else:
        print(f"{report.verdict.decision}: {plan.folder / 'report.html'} ({seconds:.1f} s)")


def _while_parent_lives() -> Callable[[], None]:
    """Ends an evaluation that nobody reads any longer, and that would keep the device."""
    parent = os.getppid()

    def check() -> None:
        if os.getppid() != parent:
            raise EvaluationError(
                "The evaluation was stopped by the end of the Dagster process that started it.",
                "Run it again.",
            )

    return check


def _throttled(
    say: Callable[[str], None], every_news: Callable[[], None]
) -> Callable[[str, int, int], None]:
    """News of progress, at most one every few seconds and always the last of its kind."""
    said = 0.0

    def news(what: str, done: int, total: int) -> None:
        nonlocal said
        every_news()
        if done == total or time.monotonic() - said > _SECONDS_BETWEEN_NEWS:
            said = time.monotonic()
            say(f"{what} {done}/{total}")

    return news


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m repo_tune_pipeline.defs.launch`: the chain in a process of its own, for the CLI.

One request, a JSON object, is read from standard input (not the argument list, which any user of
the machine can read and a source may carry a token). Events are written to standard output, a
JSON object a line: `{"event": "stage" | "progress" | "done" | "failed", …}`.
"""

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline import ingestion, training
from repo_tune_pipeline.defs import chain
from repo_tune_pipeline.defs import ingestion as ingest_assets
from repo_tune_pipeline.defs.code_location import defs
from repo_tune_pipeline.defs.partitions import REPOS
from repo_tune_pipeline.defs.training import TrainConfig
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.registry import Registered, forget, known_repositories

POLL_SECONDS = 1.0


def main() -> None:
    """Read the request, walk the chain, write events; always exit 0 once the end was told."""
    request: dict[str, Any] = json.load(sys.stdin)
    try:
        _write("done", result=_answer(request))
    except RepoTuneError as error:
        _write("failed", problem=error.problem, remedy=error.remedy, exit_code=error.exit_code)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    with dg.DagsterInstance.get() as instance:
        jobs = {name: defs.resolve_job_def(name) for name in chain.JOB_NAMES}
        workspace = Workspace()
        session = chain.Session(instance, workspace, jobs, _report, _watch)
        return _COMMANDS[str(request["command"])](session, request)


def _ingest(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    return chain.ingest(session, _entry(request["sources"][0]))


def _generate_data(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    del request
    return chain.generate_data(session)


def _train(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    return chain.train(session, str(request["variant"]), TrainConfig(**request["training"]))


def _evaluate(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    placebo = bool(request["placebo"])
    return chain.evaluate(session, str(request["variant"]), placebo=placebo)


def _run(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    sources = [_entry(source) for source in request["sources"]]
    variants = [str(request["variant"])] if request.get("variant") else []
    config = TrainConfig(**request["training"])
    return chain.refresh(session, sources, variants, config, placebo=bool(request["placebo"]))


def _register(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    """Make the known repositories partitions, so that they can be materialized in the UI."""
    del request
    workspace = session.workspace
    known = known_repositories(workspace.home, ingest_assets.configured(workspace.settings))
    names = [entry.name for entry in known]
    session.instance.add_dynamic_partitions(REPOS, names)
    return {"registered": names}


def _forget(session: chain.Session, request: dict[str, Any]) -> dict[str, Any]:
    name = str(request["name"])
    forget(session.workspace.home, name)
    session.instance.delete_dynamic_partition(REPOS, name)
    return {"removed": name}


_COMMANDS = {
    "ingest": _ingest,
    "generate-data": _generate_data,
    "train": _train,
    "evaluate": _evaluate,
    "run": _run,
    "forget": _forget,
    "register": _register,
}


def _entry(source: dict[str, str]) -> Registered:
    named = source["source"]
    name = ingestion.repo_name(named, source.get("name", ""))
    public = ingestion.public_source(named)
    if public != named:
        ingest_assets.credentials[name] = named
    return Registered(name, public, source.get("ref", ""))


def _report(event: chain.Event) -> None:
    _write("stage", **asdict(event))


@contextmanager
def _watch(work_dir: Path) -> Generator[None]:
    """Write a progress event whenever the trainer under `work_dir` has done another step."""
    ended = threading.Event()

    def follow() -> None:
        last = -1
        while not ended.wait(POLL_SECONDS):
            progress = training.read_progress(work_dir)
            if progress is not None and progress.step != last:
                last = progress.step
                _write("progress", **asdict(progress))

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()


def _write(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""The chain as runs of the jobs: each stage in turn, left alone when nothing it reads changed.

`refresh_job`, `repo-tune` and the service go through here, so that all of them do the same.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import dagster as dg

from repo_tune_pipeline import evaluation, ingestion, training
from repo_tune_pipeline.chunking import holds_chunks
from repo_tune_pipeline.defs import chunking as chunk_assets
from repo_tune_pipeline.defs import evaluation as evaluation_assets
from repo_tune_pipeline.defs import ingestion as ingest_assets
from repo_tune_pipeline.defs import placebo as placebo_assets
from repo_tune_pipeline.defs import retrieval as retrieval_assets
from repo_tune_pipeline.defs import sft as sft_assets
from repo_tune_pipeline.defs import training as train_assets
from repo_tune_pipeline.defs.partitions import REPOS
from repo_tune_pipeline.defs.runs import RunFailedError, execute
from repo_tune_pipeline.defs.training import TrainConfig
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import EmptyInputError, UsageError
from repo_tune_pipeline.registry import (
    Registered,
    StageState,
    known_repositories,
    load_state,
    register,
)

JOB_NAMES = ("ingest_job", "generate_data_job", "fine_tune_job", "evaluate_job")

Result = dict[str, object]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person who waits would like to know."""

    stage: str
    status: Literal["started", "unchanged", "finished"]
    text: str


def _no_watch(work_dir: Path) -> AbstractContextManager[None]:
    del work_dir
    return nullcontext()


@dataclass(frozen=True)
class Session:
    """What a walk through the chain needs.

    `watch` is entered around a training with the training's working folder.
    """

    instance: dg.DagsterInstance
    workspace: Workspace
    jobs: Mapping[str, dg.JobDefinition]
    report: Callable[[Event], None]
    watch: Callable[[Path], AbstractContextManager[None]] = field(default=_no_watch)


def refresh(
    session: Session,
    sources: Sequence[Registered] = (),
    variants: Sequence[str] = (),
    config: TrainConfig | None = None,
    *,
    placebo: bool = True,
) -> dict[str, object]:
    """Every stage for the given sources (none: all known ones) and variants (none: all)."""
    workspace = session.workspace
    configured = ingest_assets.configured(workspace.settings)
    entries = list(sources) or known_repositories(workspace.home, configured)
    if not entries:
        raise UsageError(
            "There is no repository to read.",
            "Name one, `repo-tune run SOURCE`, or add it to the configuration's `repositories`.",
        )
    config = config or TrainConfig()
    names = list(variants) or sorted(workspace.settings.variants)
    ingested = [ingest(session, entry) for entry in entries]
    data = generate_data(session)
    adapters = [train(session, name, config) for name in names]
    reports = [evaluate(session, name, placebo=placebo) for name in names]
    return {
        "ingest": ingested,
        "generate_data": data,
        "train": adapters if len(names) > 1 else adapters[0],
        "evaluate": reports if len(names) > 1 else reports[0],
    }


def ingest(session: Session, entry: Registered) -> Result:
    """Read one repository and cut it into chunks, unless its commit was read before."""
    home, settings = session.workspace.home, session.workspace.settings
    session.instance.add_dynamic_partitions(REPOS, [entry.name])
    secret = ingest_assets.credentials.get(entry.name, entry.source)
    commit = ingestion.head_commit(secret, ref=entry.ref, settings=settings.ingestion)
    read = load_state(home, ingest_assets.STAGE, entry.name)
    if read and read.fingerprint == ingest_assets.ingest_fingerprint(entry, commit, settings):
        chunked = load_state(home, chunk_assets.STAGE, entry.name)
        current = chunk_assets.chunks_fingerprint(read.data_version, settings)
        if chunked and chunked.fingerprint == current and holds_chunks(home.chunks(entry.name)):
            # The same commit may lie in another place now.
            register(home, entry)
            _tell(session, ingest_assets.STAGE, "unchanged", f"{entry.name} at {commit[:12]}")
            return _ingested(session, entry.name)
    _tell(session, ingest_assets.STAGE, "started", f"{entry.name} from {entry.source}")
    execute(
        session.jobs["ingest_job"],
        session.instance,
        partition_key=entry.name,
        ops={"ingested_repo": {"config": {"source": entry.source, "ref": entry.ref}}},
    )
    result = _ingested(session, entry.name)
    # Not `commit`: a branch may have moved since it was asked for.
    text = f"{entry.name} at {str(result['commit'])[:12]}: {result['chunks']:,} chunks"
    _tell(session, ingest_assets.STAGE, "finished", text)
    return result


def generate_data(session: Session) -> Result:
    """Make the data set and the search index, unless chunks and settings are as before."""
    home = session.workspace.home
    state = load_state(home, sft_assets.STAGE, "all")
    if (
        state
        and state.fingerprint == sft_assets.dataset_fingerprint(session.workspace)
        and Path(str(state.result["sft"])).is_file()
        and retrieval_assets.is_current(home, session.workspace.settings.retrieval)
    ):
        _tell(session, sft_assets.STAGE, "unchanged", str(state.result["sft"]))
        return state.result
    _tell(session, sft_assets.STAGE, "started", "examples from the chunks")
    execute(session.jobs["generate_data_job"], session.instance)
    result = _result(session, sft_assets.STAGE, "all")
    counted = result["examples"]
    if isinstance(counted, dict):
        text = f"{counted['train']:,} examples to learn from, {counted['heldout']:,} held out"
        _tell(session, sft_assets.STAGE, "finished", text)
    return result


def train(session: Session, variant: str, config: TrainConfig) -> Result:
    """Train one variant, unless a version with the same inputs is the newest."""
    workspace = session.workspace
    require_variant(workspace, variant)
    plan = train_assets.training_plan(workspace, variant, config)
    state = load_state(workspace.home, train_assets.STAGE, variant)
    if (
        state
        and state.fingerprint == plan.fingerprint
        and training.finished_adapter(plan, workspace.home)
    ):
        _tell(session, train_assets.STAGE, "unchanged", f"{variant} {plan.version}")
        return state.result
    for text in plan.notes:
        _tell(session, train_assets.STAGE, "started", text)
    text = f"{variant} {plan.version} on {plan.base_name}; log: {plan.work_dir / 'training.log'}"
    _tell(session, train_assets.STAGE, "started", text)
    with session.watch(plan.work_dir):
        execute(
            session.jobs["fine_tune_job"],
            session.instance,
            partition_key=variant,
            ops={"qlora_adapter": {"config": config.model_dump()}},
        )
    result = _result(session, train_assets.STAGE, variant)
    text = f"{variant} {plan.version}: {result['steps']} steps, loss {result['train_loss']:.3f}"
    _tell(session, train_assets.STAGE, "finished", text)
    return result


def evaluate(session: Session, variant: str, *, placebo: bool = True) -> Result:
    """Judge the newest adapter of one variant, unless it was judged on this data.

    Args:
        session: where.
        variant: whose adapter.
        placebo: train one beside it, where the configuration names its source.
    """
    workspace = session.workspace
    require_variant(workspace, variant)
    plan = evaluation_assets.evaluation_plan(workspace, variant)
    state = load_state(workspace.home, evaluation_assets.STAGE, variant)
    ready = placebo_assets.is_current(workspace.home, variant, workspace.settings, enabled=placebo)
    judged = state and state.fingerprint == plan.fingerprint
    if ready and state and judged and evaluation.finished_evaluation(plan):
        _tell(session, evaluation_assets.STAGE, "unchanged", str(state.result["report_html"]))
        return state.result
    beside = " beside a placebo" if placebo and workspace.settings.evaluation.placebo else ""
    _tell(session, evaluation_assets.STAGE, "started", f"{variant} {plan.adapter.name}{beside}")
    try:
        execute(
            session.jobs["evaluate_job"],
            session.instance,
            partition_key=variant,
            ops={"placebo_adapter": {"config": {"enabled": placebo}}},
        )
    except RunFailedError:
        # A verdict of `hold` ends the run at its blocking check, and is a verdict all the same.
        plan = evaluation_assets.evaluation_plan(workspace, variant)
        state = load_state(workspace.home, evaluation_assets.STAGE, variant)
        if not state or state.fingerprint != plan.fingerprint or _promoted(state):
            raise
    result = _result(session, evaluation_assets.STAGE, variant)
    _tell(session, evaluation_assets.STAGE, "finished", str(result["report_html"]))
    return result


def require_variant(workspace: Workspace, variant: str) -> None:
    """Raises UsageError if the configuration doesn't name `variant`."""
    known = sorted(workspace.settings.variants)
    if variant not in known:
        raise UsageError(
            f"No variant is called {variant} (the configuration names: {', '.join(known)}).",
            "Add it under `variants`, or name one of these.",
        )


def _promoted(state: StageState) -> bool:
    verdict = cast("dict[str, object]", state.result["verdict"])
    return verdict["decision"] == "promote"


def _ingested(session: Session, name: str) -> Result:
    result = dict(_result(session, ingest_assets.STAGE, name))
    chunks = _result(session, chunk_assets.STAGE, name)["chunks"]
    seconds, run_id = result.pop("seconds"), result.pop("run_id")
    return {**result, "chunks": chunks, "run_id": run_id, "seconds": seconds}


def _result(session: Session, stage: str, key: str) -> Result:
    state = load_state(session.workspace.home, stage, key)
    if state is None:
        raise EmptyInputError(f"The stage {stage} left no record for {key}.", "Run it again.")
    return state.result


def _tell(
    session: Session, stage: str, status: Literal["started", "unchanged", "finished"], text: str
) -> None:
    session.report(Event(stage, status, text))

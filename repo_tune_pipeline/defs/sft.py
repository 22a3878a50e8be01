"""`sft_jsonl` and `sft_readable_json`: the data set, one computation."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import dagster as dg

from repo_tune_pipeline import sft
from repo_tune_pipeline.artifacts import Home, digest_file
from repo_tune_pipeline.chunking import holds_chunks
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.chunking import chunk_versions, code_chunks
from repo_tune_pipeline.defs.conditions import when_changed
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.registry import StageState, fingerprint, save_state
from repo_tune_pipeline.sft import Dataset, Stock
from repo_tune_pipeline.sft.teacher import TeacherRun
from repo_tune_pipeline.training.recipe import lay, read_layers

STAGE = "generate_data"


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            "sft_jsonl",
            deps=[code_chunks],
            code_version=sft.SFT_VERSION,
            group_name="repo_tune",
            kinds={"json"},
            description="Training examples, one a line, and the held-out side beside them.",
            automation_condition=when_changed("code_chunks"),
        ),
        dg.AssetSpec(
            "sft_readable_json",
            deps=[code_chunks],
            code_version=sft.SFT_VERSION,
            group_name="repo_tune",
            kinds={"json"},
            description="The same examples for people, with a summary and the funnel.",
            automation_condition=when_changed("code_chunks"),
        ),
    ]
)
def sft_dataset(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> Iterator[dg.MaterializeResult[Any]]:
    """Examples from the chunks of every ingested repository, split without a leak."""
    started = time.monotonic()
    with readable_failures():
        home, settings = workspace.home, workspace.settings
        inputs = dataset_fingerprint(workspace)
        packs = sft.load_packs(workspace.configs / "domains", settings.sft.domains)
        teacher = _teacher(workspace, context)
        limit = token_limit(workspace)
        if limit is None:
            context.log.warning(
                f"The tokenizer of {base_model(workspace)} isn't on this machine: examples are "
                "limited in characters alone (sft.max_example_chars)."
            )
        made = sft.build_dataset(
            stocks(home),
            home.datasets,
            settings=settings.sft,
            packs=packs,
            taught=teacher,
            limit=limit,
        )
        digest = digest_file(made.folder / "sft.jsonl")
        result = _result(made, context.run_id, started)
        # A teacher that was stopped has more to give: the next run goes on where it ended.
        complete = teacher is None or not teacher.stopped
        save_state(home, STAGE, "all", StageState(inputs if complete else "", digest, result))
    readable = digest_file(made.folder / "sft_readable.json")
    metadata = _metadata(made)
    yield dg.MaterializeResult(
        asset_key="sft_jsonl", metadata=metadata, data_version=dg.DataVersion(digest)
    )
    yield dg.MaterializeResult(
        asset_key="sft_readable_json",
        metadata={"path": presentation.path(made.folder / "sft_readable.json"), **metadata},
        data_version=dg.DataVersion(readable),
    )


def dataset_fingerprint(workspace: Workspace) -> str:
    """What the data set depends on: every repository's chunks, settings and packs."""
    home, settings = workspace.home, workspace.settings
    domains = workspace.configs / "domains"
    packs = {
        name: digest_file(file)
        for name in settings.sft.domains
        if (file := domains / f"{name}.yaml").is_file()
    }
    sft_settings = settings.sft.model_dump(mode="json")
    versions = [sft.SFT_VERSION, dict(sft.TASK_VERSIONS)]
    limit = token_limit(workspace)
    tokens = [limit.digest, limit.most] if limit else []
    return fingerprint(chunk_versions(home), packs, versions, sft_settings, tokens)


def token_limit(workspace: Workspace) -> sft.TokenLimit | None:
    """What the configured profile shows the configured base model at a time."""
    recipe = _recipe(workspace)
    return sft.TokenLimit.of(str(recipe["base_model"]), int(recipe["sequence_len"]))


def base_model(workspace: Workspace) -> str:
    """The configured base model's name."""
    return str(_recipe(workspace)["base_model"])


def _recipe(workspace: Workspace) -> dict[str, Any]:
    training = workspace.settings.training
    return lay(read_layers(workspace.configs, training.profile), training)


def stocks(home: Home) -> list[Stock]:
    """What the stages before left of every ingested repository.

    Raises:
        EmptyInputError: nothing.
    """
    found = [
        Stock(name, home.snapshot(name), home.chunks(name))
        for name in home.repo_names()
        if holds_chunks(home.chunks(name))
    ]
    if not found:
        raise EmptyInputError(
            f"No chunk of any repository is below {home.root}.",
            "Ingest one first: `repo-tune ingest SOURCE`.",
        )
    return found


def _teacher(workspace: Workspace, context: dg.AssetExecutionContext) -> TeacherRun | None:
    settings = workspace.settings.sft
    if not settings.teacher.provider:
        return None
    return TeacherRun(settings, workspace.home.teacher_answers, context.log.warning)


def _result(made: Dataset, run_id: str, started: float) -> dict[str, object]:
    folder = made.folder
    return {
        "sft": str(folder / "sft.jsonl"),
        "readable": str(folder / "sft_readable.json"),
        "heldout": str(folder / "heldout.jsonl"),
        "manifest": str(folder / "manifest.json"),
        "examples": {"train": made.examples("train"), "heldout": made.examples("heldout")},
        "recent": {"heldout_recent": made.examples("recent")},
        "by_task": made.tally("by_task"),
        "by_repo": made.tally("by_repo"),
        "dropped": made.funnels["sft"].dropped,
        "funnels": {name: funnel.as_dict() for name, funnel in made.funnels.items()},
        "run_id": run_id,
        "seconds": round(time.monotonic() - started, 3),
    }


def _metadata(made: Dataset) -> presentation.Metadata:
    first = islice(sft.iterate_examples(made.folder / "sft.jsonl"), 10)
    return {
        "examples_train": made.examples("train"),
        "examples_heldout": made.examples("heldout"),
        "examples_heldout_recent": made.examples("recent"),
        **{f"funnel_{stage}": presentation.funnel(f) for stage, f in made.funnels.items()},
        "tasks": presentation.counts("task", made.tally("by_task")),
        "repositories": presentation.counts("repository", made.tally("by_repo")),
        "languages": presentation.counts("language", made.tally("by_language")),
        "licenses": presentation.counts("licence", made.tally("by_license")),
        "ten_examples": presentation.sample(list(first)),
        "folder": presentation.path(made.folder),
    }

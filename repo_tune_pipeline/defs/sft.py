"""`sft_jsonl` and `sft_readable_json`: the data set, one computation."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline import sft
from repo_tune_pipeline.artifacts import digest_file
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.chunking import all_chunks, chunk_versions, code_chunks
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.registry import StageState, fingerprint, save_state
from repo_tune_pipeline.sft import Dataset

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
        ),
        dg.AssetSpec(
            "sft_readable_json",
            deps=[code_chunks],
            code_version=sft.SFT_VERSION,
            group_name="repo_tune",
            kinds={"json"},
            description="The same examples for people, with a summary and the funnel.",
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
        chunks, upstream = all_chunks(home)
        packs = sft.load_packs(workspace.configs / "domains", settings.sft.domains)
        made = sft.build_dataset(chunks, settings=settings.sft, packs=packs, upstream=upstream)
        folder = sft.save_dataset(made, home.datasets, settings=settings.sft)
        digest = digest_file(folder / "sft.jsonl")
        result = _result(made, folder, context.run_id, started)
        save_state(home, STAGE, "all", StageState(inputs, digest, result))
    readable = digest_file(folder / "sft_readable.json")
    metadata = _metadata(made, folder)
    yield dg.MaterializeResult(
        asset_key="sft_jsonl", metadata=metadata, data_version=dg.DataVersion(digest)
    )
    yield dg.MaterializeResult(
        asset_key="sft_readable_json",
        metadata={"path": presentation.path(folder / "sft_readable.json"), **metadata},
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
    return fingerprint(chunk_versions(home), packs, sft.SFT_VERSION, sft_settings)


def _result(made: Dataset, folder: Path, run_id: str, started: float) -> dict[str, object]:
    both = [*made.train, *made.heldout]
    return {
        "sft": str(folder / "sft.jsonl"),
        "readable": str(folder / "sft_readable.json"),
        "heldout": str(folder / "heldout.jsonl"),
        "manifest": str(folder / "manifest.json"),
        "examples": {"train": len(made.train), "heldout": len(made.heldout)},
        "by_task": dict(sorted(Counter(e.meta.task for e in both).items())),
        "by_repo": dict(sorted(Counter(e.meta.repo for e in both).items())),
        "dropped": made.funnel.dropped,
        "run_id": run_id,
        "seconds": round(time.monotonic() - started, 3),
    }


def _metadata(made: Dataset, folder: Path) -> presentation.Metadata:
    both = [*made.train, *made.heldout]
    return {
        "examples_train": len(made.train),
        "examples_heldout": len(made.heldout),
        "funnel": presentation.funnel(made.funnel),
        "tasks": presentation.counts("task", Counter(e.meta.task for e in both)),
        "repositories": presentation.counts("repository", Counter(e.meta.repo for e in both)),
        "languages": presentation.counts("language", Counter(e.meta.language for e in both)),
        "ten_examples": presentation.sample(made.train),
        "folder": presentation.path(folder),
    }

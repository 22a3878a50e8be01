"""`code_chunks`: every function, type, test and document section of one repository."""

from collections import Counter
from typing import Any

import dagster as dg

from repo_tune_pipeline import chunking, ingestion
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.chunking import Chunked
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.ingestion import ingested_repo
from repo_tune_pipeline.defs.partitions import repos
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.records import CodeChunk, Rejection
from repo_tune_pipeline.registry import StageState, fingerprint, load_state, save_state
from repo_tune_pipeline.settings import Settings

STAGE = "chunks"


@dg.asset(
    partitions_def=repos,
    deps=[ingested_repo],
    code_version=chunking.CHUNKER_VERSION,
    group_name="repo_tune",
    kinds={"treesitter"},
)
def code_chunks(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> dg.MaterializeResult[Any]:
    """Every kept chunk of one repository at one commit."""
    with readable_failures():
        home, settings, name = workspace.home, workspace.settings, context.partition_key
        snapshot = ingestion.load_snapshot(home.snapshot(name))
        digest = chunking.save_chunks(home.chunks(name), snapshot, settings.chunking)
        chunked = chunking.load_chunks(home.chunks(name))
        inputs = chunks_fingerprint(ingestion.snapshot_digest(snapshot), settings)
        result: dict[str, object] = {"chunks": len(chunked.chunks), "run_id": context.run_id}
        save_state(home, STAGE, name, StageState(inputs, digest, result))
    return dg.MaterializeResult(
        metadata=_metadata(home, name, chunked), data_version=dg.DataVersion(digest)
    )


def chunks_fingerprint(snapshot_digest: str, settings: Settings) -> str:
    """What the chunks of one snapshot depend on."""
    chunking_settings = settings.chunking.model_dump(mode="json")
    return fingerprint(snapshot_digest, chunking.CHUNKER_VERSION, chunking_settings)


def all_chunks(home: Home) -> tuple[list[CodeChunk], list[Rejection]]:
    """The chunks of every ingested repository, and what was dropped before.

    Raises:
        EmptyInputError: there is no chunk.
    """
    chunks: list[CodeChunk] = []
    rejections: list[Rejection] = []
    for name in home.repo_names():
        folder = home.chunks(name)
        if folder.is_dir():
            chunked = chunking.load_chunks(folder)
            chunks.extend(chunked.chunks)
            rejections.extend(chunked.rejections)
    if not chunks:
        raise EmptyInputError(
            f"No chunk of any repository is below {home.root}.",
            "Ingest one first: `repo-tune ingest SOURCE`.",
        )
    return chunks, rejections


def chunk_versions(home: Home) -> dict[str, str]:
    """The content digest of every repository's chunks."""
    states = {name: load_state(home, STAGE, name) for name in home.repo_names()}
    return {name: state.data_version for name, state in states.items() if state}


def _metadata(home: Home, name: str, chunked: Chunked) -> presentation.Metadata:
    rows = [
        (c.kind, c.symbol, f"{c.path}:{c.start_line}-{c.end_line}", c.signature)
        for c in chunked.chunks[:10]
    ]
    return {
        "chunks": len(chunked.chunks),
        "funnel": presentation.funnel(chunked.funnel),
        "kinds": presentation.counts("kind", Counter(c.kind for c in chunked.chunks)),
        "languages": presentation.counts("language", Counter(c.language for c in chunked.chunks)),
        "with_docstring": sum(bool(c.docstring) for c in chunked.chunks),
        "first_chunks": presentation.table(("kind", "symbol", "source", "signature"), rows),
        "folder": presentation.path(home.chunks(name)),
    }

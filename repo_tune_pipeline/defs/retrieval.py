"""`retrieval_index`: the search index over the chunks of every repository."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from repo_tune_pipeline import retrieval
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs import presentation
from repo_tune_pipeline.defs.chunking import all_chunks, chunk_versions, code_chunks
from repo_tune_pipeline.defs.conditions import when_changed
from repo_tune_pipeline.defs.failures import readable_failures
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.registry import StageState, fingerprint, load_state, save_state
from repo_tune_pipeline.retrieval import IndexSummary
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.settings import RetrievalSettings

STAGE = "retrieval"
SAMPLES = 3
MIN_QUESTION_WORDS = 5


@dg.asset(
    deps=[code_chunks],
    code_version=retrieval.RETRIEVAL_VERSION,
    group_name="repo_tune",
    kinds={"lancedb"},
    automation_condition=when_changed("code_chunks"),
)
def retrieval_index(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> dg.MaterializeResult[Any]:
    """Finds the chunks of every ingested repository by words, names or code."""
    with readable_failures():
        home = workspace.home
        settings = workspace.settings.retrieval
        inputs = _index_fingerprint(home, settings)
        chunks, _ = all_chunks(home)
        embedder = retrieval.connect_embedder(settings.embedding)
        digest = retrieval.build_index(home.index, chunks, embedder=embedder)
        summary = retrieval.index_summary(home.index)
        metadata = _metadata(home, summary, _questions(chunks))
        result: dict[str, object] = {"chunks": summary.chunks, "run_id": context.run_id}
        save_state(home, STAGE, "all", StageState(inputs, digest, result))
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(digest))


def is_current(home: Home, settings: RetrievalSettings) -> bool:
    """Whether the index is there and was made from the chunks as they are."""
    state = load_state(home, STAGE, "all")
    if state is None or state.fingerprint != _index_fingerprint(home, settings):
        return False
    try:
        return retrieval.index_summary(home.index).digest == state.data_version
    except EmptyInputError:
        return False


def _index_fingerprint(home: Home, settings: RetrievalSettings) -> str:
    embedding = (settings.embedding.base_url, settings.embedding.model)
    return fingerprint(chunk_versions(home), [retrieval.RETRIEVAL_VERSION, *embedding])


def _questions(chunks: Sequence[CodeChunk]) -> list[str]:
    """First lines of docstrings, some words long; of no file in particular, yet always the same."""
    found: dict[str, None] = {}
    for chunk in sorted(chunks, key=lambda chunk: chunk.chunk_id):
        first = chunk.docstring.strip().partition("\n")[0].strip()
        if len(first.split()) >= MIN_QUESTION_WORDS and not holds_secret(chunk.source):
            found[first] = None
        if len(found) == SAMPLES:
            break
    return list(found)


def _metadata(home: Home, summary: IndexSummary, questions: Sequence[str]) -> presentation.Metadata:
    rows = [
        (question, hit.symbol, f"{hit.repo} {hit.path}:{hit.start_line}", round(hit.score, 2))
        for question in questions
        for hit in retrieval.search(home.index, question, limit=3)
    ]
    return {
        "chunks": summary.chunks,
        "rows_changed_since_it_was_built": summary.changed,
        "dense_vectors": summary.embedding or "none",
        "left_out_for_secrets": summary.secrets_left_out,
        "repositories": presentation.counts("repository", summary.by_repo),
        "languages": presentation.counts("language", summary.by_language),
        "sample_questions": presentation.table(("question", "symbol", "source", "score"), rows),
        "folder": presentation.path(home.index),
    }

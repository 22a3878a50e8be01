"""Chunks → an index on disk that finds them by the words of a question."""

from repo_tune_pipeline.retrieval.embedding import Embedder, connect_embedder
from repo_tune_pipeline.retrieval.index import (
    RETRIEVAL_VERSION,
    IndexSummary,
    build_index,
    index_summary,
)
from repo_tune_pipeline.retrieval.search import Hit, search

__all__ = [
    "RETRIEVAL_VERSION",
    "Embedder",
    "Hit",
    "IndexSummary",
    "build_index",
    "connect_embedder",
    "index_summary",
    "search",
]

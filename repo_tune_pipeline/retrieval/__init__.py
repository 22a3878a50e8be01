"""Chunks → an index on disk that finds them by the words of a question."""

from repo_tune_pipeline.retrieval.index import (
    RETRIEVAL_VERSION,
    Hit,
    IndexSummary,
    build_index,
    index_summary,
    search,
)

__all__ = [
    "RETRIEVAL_VERSION",
    "Hit",
    "IndexSummary",
    "build_index",
    "index_summary",
    "search",
]

"""Finding chunks by the words of a question, and by its vector where the index holds vectors."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.retrieval.embedding import Embedder
from repo_tune_pipeline.retrieval.index import IndexSummary, index_summary
from repo_tune_pipeline.retrieval.table import begins_with, equals, match_rows, nearest_rows
from repo_tune_pipeline.retrieval.tokens import question_tokens

# Rows read beyond the limit, so that equal scores are put in the same order every time.
_TIES = 16
RANK_OFFSET = 60
"""k of reciprocal rank fusion (Cormack, Clarke & Buettcher 2009)."""
LEXICAL_SHARE = 0.7
"""Of a blended score. Names are what questions about code turn on: a weak vector blended in evenly
made results worse."""
_BLENDED = 50
"""Hits of each kind that are blended, at least."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One chunk that a search found; `score` compares within one search only.

    It is BM25, or where dense vectors take part the blend of both ranks.
    """

    repo: str
    commit: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class _Question:
    tokens: str
    vector: list[float] | None
    where: str
    limit: int


def search(
    folder: Path,
    question: str,
    *,
    limit: int = 5,
    repo: str = "",
    language: str = "",
    path: str = "",
    embedder: Embedder | None = None,
) -> list[Hit]:
    """The chunks that share most with `question`, best first; none if no word is shared.

    Args:
        folder: what `build_index` wrote.
        question: words, names or code.
        limit: how many hits at most.
        repo: only this repository, `owner/name`; empty means all.
        language: only this language, as Linguist names it; empty means all.
        path: only paths that begin so; empty means all.
        embedder: the model that made the index's vectors; without it they aren't asked. With it,
            what is near counts as well, though it shares no word.

    Raises:
        EmptyInputError: there is no index.
        StorageError: the index can't be read.
    """
    summary = index_summary(folder)
    tokens = question_tokens(question)
    if limit < 1 or not (tokens or embedder):
        return []
    filters = [
        equals(name, value) for name, value in (("repo", repo), ("language", language)) if value
    ]
    filters += [begins_with("path", path)] if path else []
    dense = embedder is not None and embedder.name == summary.embedding
    asked = _Question(
        tokens,
        embedder.of_question(question) if dense and embedder else None,
        " AND ".join(filters),
        limit,
    )
    try:
        return _found(folder, summary, asked)
    except StorageError:
        # Another process may have put a newer version in place of the one just named.
        return _found(folder, index_summary(folder), asked)


def _found(folder: Path, summary: IndexSummary, asked: _Question) -> list[Hit]:
    table, many = folder / summary.table, asked.limit + _TIES
    if asked.vector is not None:
        many = max(many, _BLENDED)
    matched: list[dict[str, Any]] = []
    if asked.tokens:
        matched = match_rows(table, summary.version, asked.tokens, asked.where, many)
    hits = [_hit(row, summary, row["_score"]) for row in matched]
    if asked.vector is not None:
        near = nearest_rows(table, summary.version, asked.vector, asked.where, many)
        hits = _blended(hits, [_hit(row, summary, -row["_distance"]) for row in near])
    return sorted(hits, key=_rank)[: asked.limit]


def _blended(matched: list[Hit], near: list[Hit]) -> list[Hit]:
    """Both rankings as one: the weighted sum of the inverse ranks."""
    scores: dict[tuple[object, ...], float] = defaultdict(float)
    hits: dict[tuple[object, ...], Hit] = {}
    for found, share in ((matched, LEXICAL_SHARE), (near, 1 - LEXICAL_SHARE)):
        for rank, hit in enumerate(sorted(found, key=_rank), start=1):
            place = (hit.repo, hit.path, hit.start_line, hit.end_line, hit.symbol)
            scores[place] += share / (RANK_OFFSET + rank)
            hits[place] = hit
    return [replace(hit, score=scores[place]) for place, hit in hits.items()]


def _hit(row: dict[str, Any], summary: IndexSummary, score: float) -> Hit:
    told = {name: value for name, value in row.items() if not name.startswith("_")}
    return Hit(commit=summary.commits[row["repo"]], score=score, **told)


def _rank(hit: Hit) -> tuple[float, str, str, int, int]:
    return -hit.score, hit.repo, hit.path, hit.start_line, hit.end_line

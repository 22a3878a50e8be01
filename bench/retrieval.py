"""How well and how fast the search index finds code, beside LanceDB's own index and bm25s.

Usage: python bench/retrieval.py [SOURCE] [--chunks N] [--questions N]

SOURCE is a repository, folder or archive (default: the installed transformers package). Its chunks
are indexed without their docstrings. Asked are

docstrings  the first line of a docstring that no other chunk has: the chunk that it was taken from
            is the one right answer (a question in words);
symbols     "Where is NAME defined?" for names that one chunk alone has.

MRR@10 and recall@5 over both kinds, and milliseconds a question, of

ours        this package's index and search;
lancedb     LanceDB's full-text index as it comes, over path, symbol and text;
bm25s       bm25s (the extra `bench`) over the very tokens that ours are, questions' too.

The summary names each ratio beside its limit: ours to bm25s at least 0.95, above LanceDB's, at most
10 ms a question.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.ingestion import ingest
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval import build_index, search
from repo_tune_pipeline.retrieval.tokens import chunk_tokens, question_tokens
from repo_tune_pipeline.settings import ChunkingSettings, IngestionSettings

SEED = 0
DEEP = 10
LEAST_WORDS = 5
LIMITS = {"ours_to_bm25s": 0.95, "ours_to_lancedb": 1.0, "ms_a_question": 10.0}
Place = tuple[str, int, str]
Searcher = Callable[[str], list[Place]]


def main() -> int:
    """Print a line for each engine and kind of question, then the summary as JSON."""
    asked = _arguments()
    chunks = _chunks(asked.source, asked.chunks)
    questions = {
        "docstrings": docstring_questions(chunks, asked.questions),
        "symbols": symbol_questions(chunks, asked.questions),
    }
    bare = [_without_docstring(chunk) for chunk in chunks]
    measured: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("ours", ours), ("lancedb", lancedb_default), ("bm25s", bm25s_peer)):
            began = time.monotonic()
            engine = make(bare, Path(folder) / name)
            built = time.monotonic() - began
            measured[name] = {kind: measure(engine, some) for kind, some in questions.items()}
            for kind, found in measured[name].items():
                print(f"{name:<8} {kind:<11}", json.dumps(found), f"built in {built:.1f} s")
    report = summary(measured, len(bare))
    print(json.dumps(report, indent=2))
    return 0 if all(one["met"] for one in report["limits"].values()) else 1


def _arguments() -> argparse.Namespace:
    spec = find_spec("transformers")
    default = str(Path(spec.origin).parent) if spec and spec.origin else None
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("source", nargs="?", default=default)
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=300)
    return parser.parse_args()


def _chunks(source: str, most: int) -> list[CodeChunk]:
    with tempfile.TemporaryDirectory() as mirrors:
        snapshot = ingest(source, settings=IngestionSettings(), mirrors=Path(mirrors))
    found = [
        chunk
        for chunk in chunk_snapshot(snapshot, ChunkingSettings()).chunks
        if chunk.kind != "module"
    ]
    random.Random(SEED).shuffle(found)
    return found[:most]


def docstring_questions(chunks: Sequence[CodeChunk], most: int) -> list[tuple[str, Place]]:
    """First lines of docstrings that only one chunk has, with that chunk's place."""
    lines = [(chunk.docstring.strip().partition("\n")[0].strip(), chunk) for chunk in chunks]
    times = Counter(line for line, _ in lines)
    fit = [
        (line, _place(chunk))
        for line, chunk in lines
        if chunk.doc_span and len(line.split()) >= LEAST_WORDS and times[line] == 1
    ]
    return fit[:most]


def symbol_questions(chunks: Sequence[CodeChunk], most: int) -> list[tuple[str, Place]]:
    """Names that only one chunk has, in a sentence."""
    times = Counter(chunk.symbol for chunk in chunks)
    fit = [
        (f"Where is {chunk.symbol} defined?", _place(chunk))
        for chunk in chunks
        if chunk.symbol and times[chunk.symbol] == 1
    ]
    return fit[:most]


def measure(engine: Searcher, questions: Sequence[tuple[str, Place]]) -> dict[str, float]:
    """MRR@10, recall@5 and milliseconds a question."""
    engine(questions[0][0])
    ranks: list[int | None] = []
    began = time.monotonic()
    for question, place in questions:
        found = engine(question)
        ranks.append(found.index(place) + 1 if place in found else None)
    seconds = time.monotonic() - began
    return {
        "mrr_10": round(sum(1 / rank for rank in ranks if rank) / len(ranks), 4),
        "recall_5": round(sum(rank is not None and rank <= 5 for rank in ranks) / len(ranks), 4),
        "ms": round(1000 * seconds / len(ranks), 2),
        "n": len(ranks),
    }


def ours(chunks: Sequence[CodeChunk], folder: Path) -> Searcher:
    """What the service asks."""
    build_index(folder, chunks)

    def find(question: str) -> list[Place]:
        hits = search(folder, question, limit=DEEP)
        return [(hit.path, hit.start_line, hit.symbol) for hit in hits]

    return find


def lancedb_default(chunks: Sequence[CodeChunk], folder: Path) -> Searcher:
    """A table with the full-text index that LanceDB makes when nothing is said."""
    import lancedb
    from lancedb.index import FTS

    rows = [
        {"at": at, "text": f"{chunk.path} {chunk.symbol}\n{chunk.source}"}
        for at, chunk in enumerate(chunks)
    ]
    table: Any = lancedb.connect(folder).create_table("chunks", rows)
    table.create_index("text", config=FTS())

    def find(question: str) -> list[Place]:
        found = table.search(question, query_type="fts").select(["at"]).limit(DEEP).to_list()
        return [_place(chunks[row["at"]]) for row in found]

    return find


def bm25s_peer(chunks: Sequence[CodeChunk], folder: Path) -> Searcher:
    """BM25 by bm25s on the same tokens."""
    del folder
    import bm25s

    corpus = [chunk_tokens(chunk).split() for chunk in chunks]
    model = bm25s.BM25()
    model.index(corpus, show_progress=False)

    def find(question: str) -> list[Place]:
        tokens = question_tokens(question).split()
        found, _ = model.retrieve([tokens], k=DEEP, show_progress=False)
        return [_place(chunks[at]) for at in found[0]]

    return find


def summary(measured: dict[str, dict[str, dict[str, float]]], chunks: int) -> dict[str, Any]:
    """The ratios over both kinds of questions, each beside its limit."""

    def mean(name: str, metric: str) -> float:
        return sum(kind[metric] for kind in measured[name].values()) / len(measured[name])

    values = {
        "ours_to_bm25s": mean("ours", "mrr_10") / mean("bm25s", "mrr_10"),
        "ours_to_lancedb": mean("ours", "mrr_10") / mean("lancedb", "mrr_10"),
        "ms_a_question": max(kind["ms"] for kind in measured["ours"].values()),
    }
    limits = {
        name: {
            "value": round(value, 3),
            "limit": LIMITS[name],
            "met": value <= LIMITS[name] if name.startswith("ms") else value >= LIMITS[name],
        }
        for name, value in values.items()
    }
    return {"chunks": chunks, "measured": measured, "limits": limits}


def _place(chunk: CodeChunk) -> Place:
    return chunk.path, chunk.start_line, chunk.symbol


def _without_docstring(chunk: CodeChunk) -> CodeChunk:
    if chunk.doc_span is None:
        return chunk
    start, end = chunk.doc_span
    return replace(chunk, source=chunk.source[:start] + chunk.source[end:])


if __name__ == "__main__":
    sys.exit(main())

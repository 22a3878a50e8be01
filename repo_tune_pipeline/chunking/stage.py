"""The stage: a snapshot's files to chunks, with a reason for whatever makes none."""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from repo_tune_pipeline.chunking.candidates import Candidate, Origin, rejection
from repo_tune_pipeline.chunking.definitions import code_candidates
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES
from repo_tune_pipeline.chunking.parsing import UnparsedError
from repo_tune_pipeline.chunking.sections import section_candidates
from repo_tune_pipeline.records import CodeChunk, Funnel, Rejection, Snapshot
from repo_tune_pipeline.settings import ChunkingSettings

MARKDOWN = "Markdown"
CHUNKER_VERSION = "1"
"""Part of what identifies chunks: raised whenever the same file would be cut differently."""


@dataclass(frozen=True)
class Chunked:
    """The chunks of one snapshot, sorted by (path, start_line, end_line, symbol).

    The funnel counts definitions and sections, and one for each file without any.
    """

    chunks: tuple[CodeChunk, ...]
    rejections: tuple[Rejection, ...]
    funnel: Funnel


def chunk_snapshot(snapshot: Snapshot, settings: ChunkingSettings) -> Chunked:
    """Cut every file of a snapshot; a file that can't be cut costs that file only."""
    with _collector_paused():
        return _chunk_snapshot(snapshot, settings)


@contextmanager
def _collector_paused() -> Generator[None, None, None]:
    """Syntax nodes come by the hundred thousand and form no cycles: looking for some in them
    takes a fifth of the stage's time.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _chunk_snapshot(snapshot: Snapshot, settings: ChunkingSettings) -> Chunked:
    kept: dict[str, CodeChunk] = {}
    rejected: list[Rejection] = []
    for file in snapshot.files:
        origin = Origin(snapshot.repo, snapshot.commit, file)
        for found in _file_candidates(origin, settings):
            if isinstance(found, Rejection):
                rejected.append(found)
            elif found.chunk_id in kept:
                rows = (found.start_line - 1, found.end_line - 1)
                rejected.append(rejection(origin, "duplicate", rows=rows, symbol=found.symbol))
            else:
                kept[found.chunk_id] = found
    return chunked_of(kept.values(), rejected)


def chunked_of(chunks: Iterable[CodeChunk], rejections: Iterable[Rejection]) -> Chunked:
    """Both in their order, with the funnel counted over them."""
    kept = sorted(chunks, key=lambda chunk: (*_place(chunk), chunk.chunk_id))
    dropped = sorted(rejections, key=lambda each: (*_place(each), each.reason))
    funnel = Funnel.of("chunking", len(kept), (each.reason for each in dropped))
    return Chunked(tuple(kept), tuple(dropped), funnel)


def _place(item: CodeChunk | Rejection) -> tuple[str, int, int, str]:
    return item.path, item.start_line, item.end_line, item.symbol


def _file_candidates(origin: Origin, settings: ChunkingSettings) -> Iterator[Candidate]:
    try:
        found = list(_cut(origin, settings))
    except UnparsedError as error:
        found = [rejection(origin, str(error))]
    yield from found or [rejection(origin, "no_definitions")]


def _cut(origin: Origin, settings: ChunkingSettings) -> Iterator[Candidate]:
    language = origin.file.language
    if language in CODE_LANGUAGES:
        yield from code_candidates(origin, settings)
    elif language == MARKDOWN:
        yield from section_candidates(origin, settings)
    else:
        yield rejection(origin, "language_not_supported")

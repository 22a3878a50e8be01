"""The stage: a snapshot's files to chunks, with a reason for whatever makes none."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from repo_tune_pipeline.chunking.candidates import (
    Candidate,
    FileChunks,
    Origin,
    Piece,
    Refusal,
    stamp,
)
from repo_tune_pipeline.chunking.definitions import code_candidates
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES
from repo_tune_pipeline.chunking.notebook import notebook_candidates
from repo_tune_pipeline.chunking.parsing import SourceText, UnparsedError
from repo_tune_pipeline.chunking.rescript import rescript_candidates
from repo_tune_pipeline.chunking.rst import rst_candidates
from repo_tune_pipeline.chunking.sections import section_candidates
from repo_tune_pipeline.chunking.sql import sql_candidates
from repo_tune_pipeline.records import CodeChunk, Funnel, Rejection, Snapshot
from repo_tune_pipeline.settings import ChunkingSettings

MARKDOWN = "Markdown"
CHUNKER_VERSION = "5"
"""Part of what identifies chunks: raised whenever the same file would be cut differently."""

Cutter = Callable[[SourceText, ChunkingSettings], Iterable[Candidate]]
"""Cuts one text, whose path it doesn't know; may raise `UnparsedError` with the reason."""
CUTTERS: dict[str, Cutter] = {
    MARKDOWN: section_candidates,
    "ReScript": rescript_candidates,
    "SQL": sql_candidates,
    "reStructuredText": rst_candidates,
    "Jupyter Notebook": notebook_candidates,
}
"""Languages that aren't cut by a grammar and a query; those have a row in `CODE_LANGUAGES`."""

_PLACE = ("path", "start_line", "end_line", "symbol")
_NAME = re.compile(r"\b[^\W\d]\w+")
_NO_NAME = bytes(
    byte if byte > 0x7F or chr(byte).isalnum() or byte == ord("_") else ord(" ")
    for byte in range(0x100)
)
"""Blanks in the place of what no name holds; what isn't ASCII is looked at later."""


@dataclass(frozen=True)
class Chunked:
    """The chunks of one snapshot, sorted by (path, start_line, end_line, symbol).

    The funnel counts definitions and sections, and one for each file without any.
    """

    chunks: tuple[CodeChunk, ...]
    rejections: tuple[Rejection, ...]
    funnel: Funnel


def cut_file(text: str, language: str, settings: ChunkingSettings) -> FileChunks:
    """Cut one file. The answer depends on the text, its language and the settings alone.

    So it may be kept by the blob's id, and made in another process; `stamp` turns it into records.
    Nothing limits the memory it takes, and only the parse is limited in time: texts that nobody
    vouches for belong in a worker process that can be killed.
    """
    return replace(cut_text(text, language, settings), names=names_in(text))


def names_in(text: str) -> tuple[str, ...]:
    """The identifiers of two characters and more, sorted and unique.

    A search through each different word costs a quarter of one through the text.
    """
    words = set(text.encode("utf-8", "replace").translate(_NO_NAME).split())
    return tuple(sorted(set(_NAME.findall(b" ".join(words).decode("utf-8")))))


def cut_text(text: str, language: str, settings: ChunkingSettings) -> FileChunks:
    """As `cut_file`, without the names."""
    pieces: list[Piece] = []
    refusals: list[Refusal] = []
    try:
        for found in cutter_of(language)(SourceText(text), settings):
            if isinstance(found, Piece):
                pieces.append(found)
            else:
                refusals.append(found)
    except UnparsedError as error:
        return FileChunks((), (Refusal(str(error)),))
    if not pieces and not refusals:
        refusals.append(Refusal("no_definitions"))
    return FileChunks(tuple(pieces), tuple(refusals))


def cutter_of(language: str) -> Cutter:
    """What cuts a language's files.

    Raises:
        UnparsedError: nothing does.
    """
    if language in CODE_LANGUAGES:
        return partial(code_candidates, language)
    if language in CUTTERS:
        return CUTTERS[language]
    raise UnparsedError("language_not_supported")


def chunk_snapshot(snapshot: Snapshot, settings: ChunkingSettings) -> Chunked:
    """Cut every file of a snapshot in this process; a file that can't be cut costs that file."""
    kept: list[CodeChunk] = []
    rejected: list[Rejection] = []
    with collector_paused():
        for file in snapshot.files:
            found = cut_text(file.text, file.language, settings)
            chunks, rejections = stamp(found, Origin(snapshot.repo, snapshot.commit, file))
            kept += chunks
            rejected += rejections
    return chunked_of(kept, rejected)


@contextmanager
def collector_paused() -> Generator[None, None, None]:
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


def chunked_of(chunks: Iterable[CodeChunk], rejections: Iterable[Rejection]) -> Chunked:
    """Both in their order, with the funnel counted over them."""
    kept = sorted(chunks, key=attrgetter(*_PLACE, "chunk_id"))
    dropped = sorted(rejections, key=attrgetter(*_PLACE, "reason"))
    funnel = Funnel.of("chunking", len(kept), (each.reason for each in dropped))
    return Chunked(tuple(kept), tuple(dropped), funnel)

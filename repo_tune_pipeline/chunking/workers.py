"""Cutting files in worker processes, where a parser that doesn't end costs one file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import orjson

from repo_tune_pipeline.chunking.candidates import FileChunks, refusal
from repo_tune_pipeline.chunking.stage import cut_file
from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline.records import SourceFile
from repo_tune_pipeline.settings import ChunkingSettings

CHARS_A_WORKER = 200_000
"""Less is cut sooner than another worker is started and given work."""
_REASONS = {"timeout": "parse_timeout", "crashed": "parser_crashed", "failed": "parser_crashed"}


@dataclass(frozen=True, slots=True)
class CutJob:
    """One text to cut."""

    text: str
    language: str


def cut_job(job: CutJob, context: bytes) -> FileChunks:
    """`cut_file`, as a worker calls it; the context is the settings as JSON."""
    return cut_file(job.text, job.language, _settings(context))


def cut_files(
    files: Sequence[SourceFile], settings: ChunkingSettings
) -> Iterator[tuple[SourceFile, FileChunks]]:
    """Each file with what it is cut into, the longest first, in the order of their ends.

    A file that takes more processor time or memory than the settings allow has one refusal,
    `parse_timeout` or `parser_crashed`.
    """
    ordered = sorted(files, key=lambda file: -len(file.text))
    found = run_pool(
        cut_job,
        (CutJob(_sendable(file.text), file.language) for file in ordered),
        Limits(settings.parse_timeout_seconds, settings.parse_memory_mib),
        context=orjson.dumps(settings.model_dump(mode="json")),
        workers=_workers(sum(len(file.text) for file in ordered)),
    )
    for number, cut in found:
        if isinstance(cut, Failure):
            cut = FileChunks((), (refusal(_REASONS[cut.kind]),))
        yield ordered[number], cut


def _sendable(text: str) -> str:
    """`text` with "?" for each lone surrogate, which no encoding can carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _workers(chars: int) -> int:
    return min(len(os.sched_getaffinity(0)), 1 + chars // CHARS_A_WORKER)


@cache
def _settings(context: bytes) -> ChunkingSettings:
    return ChunkingSettings.model_validate_json(context)

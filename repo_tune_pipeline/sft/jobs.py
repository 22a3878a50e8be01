"""Making a file's examples in worker processes, in a form that is kept by what it was made of."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import orjson

from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline.records import CodeChunk, Rejection, SftExample
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.code import without_doc
from repo_tune_pipeline.sft.duplicates import Unit
from repo_tune_pipeline.sft.lines import example_line
from repo_tune_pipeline.sft.links import Links
from repo_tune_pipeline.sft.making import Made, Outcomes, make_for_file
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.prints import Prints, prints_of_many
from repo_tune_pipeline.sft.selection import Candidate
from repo_tune_pipeline.sft.shown import shown_code

LIMITS = Limits(seconds=60, memory_mib=1_024)
FILES_A_WORKER = 100


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file's chunks with what they are linked to, by chunk id."""

    chunks: tuple[CodeChunk, ...]
    links: dict[str, Links]


@dataclass(frozen=True, slots=True)
class Row:
    """One made example: what selection looks at, and its line without the commit."""

    candidate: Candidate
    line: bytes


@dataclass(frozen=True, slots=True)
class FileRows:
    """What came of one file; kept by content."""

    rows: tuple[Row, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    units: tuple[Unit, ...] = ()


def make_rows(job: FileJob, context: bytes) -> FileRows:
    """One file's examples, as a worker makes them; the context is settings and packs as JSON."""
    settings, packs = _context(context)
    outcomes = make_for_file(job.chunks, job.links, settings=settings, packs=packs)
    return rows_of(outcomes, units_of(job.chunks))


def rows_of(outcomes: Outcomes, units: tuple[Unit, ...] = ()) -> FileRows:
    """Outcomes in the form in which they are kept."""
    shown = [
        shown_code(each.example.meta.task, each.example.input, each.example.output)
        for each in outcomes.made
    ]
    prints = iter(prints_of_many([text for text in shown if text]))
    rows = tuple(
        Row(_candidate(each, next(prints) if text else None), example_line(each.example))
        for each, text in zip(outcomes.made, shown, strict=True)
    )
    return FileRows(rows, tuple(outcomes.rejections), units)


def units_of(chunks: Sequence[CodeChunk]) -> tuple[Unit, ...]:
    """What duplicates are told by."""
    prints = prints_of_many([printed_text(chunk) for chunk in chunks])
    return tuple(
        Unit(
            chunk.chunk_id,
            chunk.repo,
            chunk.path,
            chunk.start_line,
            bool(chunk.docstring),
            chunk.license,
            each,
        )
        for chunk, each in zip(chunks, prints, strict=True)
    )


def printed_text(chunk: CodeChunk) -> str:
    """The text by which copies of a chunk are told: its code or, where that is blank, all."""
    code = without_doc(chunk.source, chunk.doc_span)
    return code if code.strip() else chunk.source


def job_key(job: FileJob, context: bytes, version: str) -> bytes:
    """What a file's examples depend on; the commit isn't part of it.

    A chunk's id stands for its text, path and lines.
    """
    key = hashlib.blake2b(context, digest_size=16)
    key.update(version.encode())
    for chunk in job.chunks:
        key.update(f"\0{chunk.chunk_id}{chunk.license}{chunk.language}".encode())
        links = job.links.get(chunk.chunk_id)
        if links is None:
            continue
        key.update(f"\1{links.namesakes}".encode())
        for name, other in sorted(links.callees.items()):
            key.update(f"\2{name}\3{other.chunk_id}".encode("utf-8", "replace"))
        for other in (*links.callers, *links.tests):
            key.update(f"\4{other.chunk_id}".encode())
    return key.digest()


def context_of(settings: SftSettings, packs: Sequence[DomainPack]) -> bytes:
    """Settings and packs as workers get them."""
    fields = ("tasks", "max_example_chars", "domains")
    chosen = settings.model_dump(mode="json", include=set(fields))
    return orjson.dumps([chosen, [pack.model_dump(mode="json") for pack in packs]])


def run_jobs(jobs: Sequence[FileJob], context: bytes) -> Iterator[tuple[int, FileRows]]:
    """Each job's number and rows, in the order of their ends.

    A file whose examples can't be made within the limits is one rejection for each chunk.
    """
    workers = min(len(os.sched_getaffinity(0)), 1 + len(jobs) // FILES_A_WORKER)
    for number, made in run_pool(make_rows, jobs, LIMITS, context=context, workers=workers):
        yield number, _failed(jobs[number], made) if isinstance(made, Failure) else made


def _failed(job: FileJob, failure: Failure) -> FileRows:
    return FileRows(
        rejections=tuple(
            Rejection("sft", f"making_{failure.kind}", c.repo, c.path, c.start_line, c.end_line)
            for c in job.chunks
        )
    )


def _candidate(made: Made, prints: Prints | None) -> Candidate:
    example = made.example
    meta = example.meta
    return Candidate(
        id=meta.id,
        task=meta.task,
        repo=meta.repo,
        path=meta.path,
        symbol=meta.symbol,
        chunk_id=meta.chunk_id,
        language=meta.language,
        license=meta.license,
        also=made.also,
        quotes=made.quotes,
        key=_text_key(example),
        shown=prints,
    )


def _text_key(example: SftExample) -> bytes:
    text = "\0".join((example.instruction, example.input, example.output))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@cache
def _context(context: bytes) -> tuple[SftSettings, tuple[DomainPack, ...]]:
    chosen, packs = orjson.loads(context)
    return SftSettings.model_validate(chosen), tuple(DomainPack.model_validate(p) for p in packs)


def encode_rows(rows: FileRows) -> bytes:
    """The form in which rows are kept."""
    return msgspec.msgpack.encode(rows)


_decoder: Any = msgspec.msgpack.Decoder(FileRows)


def decode_rows(data: bytes) -> FileRows:
    """What `encode_rows` was given."""
    return _decoder.decode(data)


def grouped(chunks: Sequence[CodeChunk], links: Mapping[str, Links]) -> Iterator[FileJob]:
    """One job for each file; `chunks` are sorted by path."""
    first = 0
    for last in range(1, len(chunks) + 1):
        if last == len(chunks) or chunks[last].path != chunks[first].path:
            part = tuple(chunks[first:last])
            own = {c.chunk_id: links[c.chunk_id] for c in part if c.chunk_id in links}
            yield FileJob(part, own)
            first = last

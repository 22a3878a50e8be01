"""Making files' examples in worker processes, in a form that is kept by what it was made of."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import orjson
from msgspec import structs

from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline.records import STAGES, CodeChunk, ExampleMeta, Rejection, SftExample
from repo_tune_pipeline.secrets import redact
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.lengths import TOO_MANY_TOKENS, TokenLimit, too_long
from repo_tune_pipeline.sft.lines import example_line, rejection_line
from repo_tune_pipeline.sft.links import Links
from repo_tune_pipeline.sft.making import Made, Outcomes, make_planned
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.plan import Planned
from repo_tune_pipeline.sft.prints import Prints, prints_of_many
from repo_tune_pipeline.sft.selection import Candidate
from repo_tune_pipeline.sft.shown import shown_code

LIMITS = Limits(seconds=60, memory_mib=1_024)
BATCH_CHUNKS = 200
_SEEN_FIELDS = ("tasks", "max_example_chars", "domains")

ROWS_VERSION = "2"
"""Raised whenever what is kept has another form."""
FileJob = tuple[Planned, ...]
"""One file's chunks, planned; a chunk of which nothing is made has no text."""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One made example: what selection looks at, and its line without the commit."""

    candidate: Candidate
    line: bytes


class FileRows(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What came of one file; kept by content. `rejects` are lines, counted by their reasons."""

    rows: tuple[Row, ...] = ()
    rejects: bytes = b""
    reasons: dict[str, int] = {}


def make_batch(jobs: list[FileJob], context: bytes) -> list[bytes]:
    """Some files' rows, encoded, as a worker makes them; the context is that of `context_of`."""
    settings, packs, limit = _context(context)
    outcomes = [make_planned(job, settings=settings, packs=packs) for job in jobs]
    return [_encode(rows) for rows in rows_of(outcomes, limit)]


def rows_of(outcomes: Sequence[Outcomes], limit: TokenLimit | None) -> list[FileRows]:
    """Outcomes in the form in which they are kept, without what is longer than the limit.

    Tokens and prints of all are counted and made at once.
    """
    outcomes = _short(outcomes, limit)
    shown = [_shown(each.example) for one in outcomes for each in one.made]
    safe = _without_secrets(each.symbol for one in outcomes for each in one.rejections)
    prints = iter(prints_of_many([text for text in shown if text]))
    printed = iter([next(prints) if text else None for text in shown])
    return [
        FileRows(
            tuple(Row(_candidate(e, next(printed)), example_line(e.example)) for e in one.made),
            b"".join(_reject_lines(one.rejections, safe)),
            dict(Counter(each.reason for each in one.rejections)),
        )
        for one in outcomes
    ]


def job_key(job: FileJob, context: bytes, version: str) -> bytes:
    """What a file's examples depend on; the commit isn't part of it.

    A chunk's id stands for its text, path and lines.
    """
    parts = [version]
    for one in job:
        chunk, links = one.chunk, one.links
        parts += (chunk.chunk_id, chunk.license, chunk.language, str(one.last_line), one.reason)
        if one.tasks:
            parts += one.tasks
            parts.append(str(links.namesakes))
            parts += links.callees
            parts += [target.chunk_id for target in links.callees.values()]
            parts += [other.chunk_id for other in links.callers]
            parts += [other.chunk_id for other in links.tests]
        parts.append("\1")
    key = hashlib.blake2b(context, digest_size=16)
    key.update("\0".join(parts).encode("utf-8", "replace"))
    return key.digest()


def _short(outcomes: Sequence[Outcomes], limit: TokenLimit | None) -> list[Outcomes]:
    long = iter(too_long([each.example for one in outcomes for each in one.made], limit))
    found: list[Outcomes] = []
    for one in outcomes:
        marked = [(each, next(long)) for each in one.made]
        gone = [_too_long(each.example.meta) for each, is_long in marked if is_long]
        made = [each for each, is_long in marked if not is_long]
        found.append(Outcomes(made, [*one.rejections, *gone]))
    return found


def _too_long(meta: ExampleMeta) -> Rejection:
    lines = (meta.start_line, meta.end_line)
    return Rejection("sft", TOO_MANY_TOKENS, meta.repo, meta.path, *lines, meta.symbol, meta.task)


def context_of(
    settings: SftSettings, packs: Sequence[DomainPack], limit: TokenLimit | None
) -> bytes:
    """Settings, packs and the limit as workers get them."""
    chosen = settings.model_dump(mode="json", include=set(_SEEN_FIELDS))
    told = msgspec.to_builtins(limit)
    return orjson.dumps([chosen, [pack.model_dump(mode="json") for pack in packs], told])


def run_jobs(jobs: Sequence[FileJob], context: bytes) -> Iterator[tuple[int, bytes]]:
    """Each job's number and encoded rows, in the order of their ends.

    A file whose examples can't be made within the limits is one rejection for each task that
    would have made some.
    """
    batches = list(_batches(jobs))
    workers = min(len(os.sched_getaffinity(0)), len(batches))
    sent = ([_slim(jobs[number]) for number in batch] for batch in batches)
    for at, made in run_pool(make_batch, sent, LIMITS, context=context, workers=workers):
        if isinstance(made, Failure):
            yield from _one_by_one(batches[at], jobs, context)
        else:
            yield from zip(batches[at], made, strict=True)


def _one_by_one(
    numbers: Sequence[int], jobs: Sequence[FileJob], context: bytes
) -> Iterator[tuple[int, bytes]]:
    """The files of a batch that failed, each in a batch of its own."""
    sent = ([_slim(jobs[number])] for number in numbers)
    for at, made in run_pool(make_batch, sent, LIMITS, context=context, workers=1):
        number = numbers[at]
        yield number, _failed(jobs[number], made) if isinstance(made, Failure) else made[0]


def _batches(jobs: Sequence[FileJob]) -> Iterator[list[int]]:
    batch: list[int] = []
    size = 0
    for number, job in enumerate(jobs):
        batch.append(number)
        size += sum(len(one.tasks) > 0 for one in job) + 1
        if size >= BATCH_CHUNKS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _slim(job: FileJob) -> FileJob:
    """A job without the texts that no task of its looks at."""
    return tuple(_slim_chunk(one) for one in job)


def _slim_chunk(one: Planned) -> Planned:
    if not one.tasks:
        return structs.replace(one, chunk=_named(one.chunk), links=Links())
    links = one.links
    callers = links.callers if "api_usage" in one.tasks else ()
    tests = links.tests
    if "test_generation" not in one.tasks:
        tests = tuple(_named(test) for test in tests)
    callees = {name: _named(target) for name, target in links.callees.items()}
    return structs.replace(one, links=Links(callees, callers, tests, links.namesakes))


def _named(chunk: CodeChunk) -> CodeChunk:
    """A chunk without text: for whoever only names it."""
    return CodeChunk(
        chunk.chunk_id,
        chunk.repo,
        chunk.commit,
        chunk.path,
        chunk.language,
        chunk.license,
        chunk.kind,
        chunk.symbol,
        signature="",
        docstring="",
        doc_span=None,
        source="",
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        part=chunk.part,
    )


def _failed(job: FileJob, failure: Failure) -> bytes:
    reasons = (
        (one.chunk, task, reason)
        for one in job
        for task, reason in (
            *((task, f"making_{failure.kind}") for task in one.tasks),
            *((("", one.reason),) if one.reason else ()),
        )
    )
    rejections = [
        Rejection("sft", why, c.repo, c.path, c.start_line, c.end_line, c.symbol, task)
        for c, task, why in reasons
    ]
    return _encode(rows_of([Outcomes([], rejections)], None)[0])


def reject_lines(rejections: Sequence[Rejection]) -> Iterator[bytes]:
    """One line each, by stage, repository and place; no secret in it."""
    return _reject_lines(rejections, _without_secrets(one.symbol for one in rejections))


def _reject_lines(rejections: Iterable[Rejection], safe: Mapping[str, str]) -> Iterator[bytes]:
    for one in sorted(rejections, key=_place):
        symbol = safe[one.symbol]
        yield rejection_line(one if symbol == one.symbol else replace(one, symbol=symbol))


_RANKS = {stage: rank for rank, stage in enumerate(STAGES)}


def _place(one: Rejection) -> tuple[int, str, str, int, str, str]:
    return _RANKS[one.stage], one.repo, one.path, one.start_line, one.task, one.reason


def _without_secrets(symbols: Iterable[str]) -> dict[str, str]:
    """Each symbol as it may be shown; all in one text, since scanning many costs more."""
    ordered = sorted(set(symbols))
    if not ordered:
        return {}
    text = "\n".join(" ".join(symbol.split()) for symbol in ordered)
    return dict(zip(ordered, redact(text).text.split("\n"), strict=True))


def _shown(example: SftExample) -> str:
    return shown_code(example.meta.task, example.input, example.output)


def _candidate(made: Made, prints: Prints | None) -> Candidate:
    example = made.example
    meta = example.meta
    return Candidate(
        id=meta.id,
        task=meta.task,
        repo=meta.repo,
        path=meta.path,
        symbol=meta.symbol,
        language=meta.language,
        license=meta.license,
        also=made.also,
        quotes=made.quotes,
        key=_text_key(example),
        shown=prints,
        lines=(meta.start_line, meta.end_line),
    )


def _text_key(example: SftExample) -> bytes:
    text = "\0".join((example.instruction, example.input, example.output))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@cache
def _context(context: bytes) -> tuple[SftSettings, tuple[DomainPack, ...], TokenLimit | None]:
    chosen, packs, limit = orjson.loads(context)
    return (
        SftSettings.model_validate(chosen),
        tuple(DomainPack.model_validate(pack) for pack in packs),
        msgspec.convert(limit, TokenLimit | None),
    )


_encode = msgspec.msgpack.Encoder().encode
_decoder: Any = msgspec.msgpack.Decoder(FileRows)


def decode_rows(data: bytes) -> FileRows:
    """What was encoded."""
    return _decoder.decode(data)


def by_file(planned: Sequence[Planned]) -> Iterator[FileJob]:
    """One job for each file; `planned` are sorted by path."""
    first = 0
    for last in range(1, len(planned) + 1):
        if last == len(planned) or planned[last].chunk.path != planned[first].chunk.path:
            yield tuple(planned[first:last])
            first = last

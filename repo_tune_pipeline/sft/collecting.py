"""One repository's candidates: made anew only where something they depend on changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import orjson

from repo_tune_pipeline.ingestion import load_changes
from repo_tune_pipeline.records import Change, CodeChunk, Rejection
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.duplicates import Unit
from repo_tune_pipeline.sft.jobs import (
    FileRows,
    context_of,
    decode_rows,
    encode_rows,
    grouped,
    job_key,
    rows_of,
    run_jobs,
)
from repo_tune_pipeline.sft.lines import COMMIT_LATER, with_commit
from repo_tune_pipeline.sft.links import link
from repo_tune_pipeline.sft.making import Outcomes, make_for_changes, make_for_repository
from repo_tune_pipeline.sft.outline import outline_of
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.selection import Candidate
from repo_tune_pipeline.sft.split import File
from repo_tune_pipeline.sft.stock import Stock
from repo_tune_pipeline.sft.tasks import TASK_VERSIONS
from repo_tune_pipeline.shelf import Shelf

Taught = Callable[[Sequence[CodeChunk]], Outcomes]
"""What a teacher adds for some chunks."""


@dataclass(frozen=True)
class Collected:
    """One repository's candidates without their lines.

    `numbers` are their lines' in the spool, in the same order. Quotes that are in the
    repository's vocabulary are taken out of the candidates.
    """

    candidates: list[Candidate]
    numbers: list[int]
    units: list[Unit]
    rejections: list[Rejection]
    files_kept: int
    chunks_kept: int
    changed: dict[File, str]


def collect(
    stock: Stock,
    settings: SftSettings,
    packs: Sequence[DomainPack],
    put_aside: Callable[[bytes], int],
    taught: Taught | None = None,
) -> Collected:
    """Make one repository's examples; each line goes through `put_aside`, which numbers it.

    Raises:
        StorageError: what the stages before left isn't whole, or the disk is full.
    """
    files_kept, rejections = stock.dropped_files()
    chunks, dropped = stock.all_chunks()
    rejections += dropped
    known = stock.vocabulary()
    found = Collected([], [], [], rejections, files_kept, len(chunks), _changed(stock))
    commit = stock.cut.commit
    for rows in _all_rows(stock, chunks, settings, packs, taught):
        for row in rows.rows:
            unknown = tuple(name for name in row.candidate.quotes if not known.holds(name))
            found.candidates.append(replace(row.candidate, quotes=unknown))
            found.numbers.append(put_aside(with_commit(row.line, commit)))
        found.units.extend(rows.units)
        found.rejections.extend(rows.rejections)
    return found


def _all_rows(
    stock: Stock,
    chunks: Sequence[CodeChunk],
    settings: SftSettings,
    packs: Sequence[DomainPack],
    taught: Taught | None,
) -> Iterator[FileRows]:
    yield from _file_rows(stock, chunks, context_of(settings, packs))
    if "repo_overview" in settings.tasks:
        outline = outline_of(stock.name, COMMIT_LATER, stock.cut.files, chunks)
        yield rows_of(make_for_repository(outline, settings=settings))
    if "change" in settings.tasks:
        changes: Sequence[Change] = load_changes(stock.snapshot)
        yield rows_of(make_for_changes(changes, stock.name, settings=settings))
    if taught is not None:
        yield rows_of(taught(chunks))


def _file_rows(stock: Stock, chunks: Sequence[CodeChunk], context: bytes) -> Iterator[FileRows]:
    """The rows of each file in its order, from the shelf or made now."""
    version = orjson.dumps(TASK_VERSIONS, option=orjson.OPT_SORT_KEYS).decode()
    shelf = Shelf(stock.chunks.with_name("examples.db"))
    jobs = list(grouped(chunks, link(chunks)))
    keys = [job_key(job, context, version) for job in jobs]
    known = shelf.keys()
    missing = [number for number, key in enumerate(keys) if key not in known]
    made: dict[bytes, bytes] = {}
    for number, rows in run_jobs([jobs[number] for number in missing], context):
        made[keys[missing[number]]] = encode_rows(rows)
    shelf.put(made, keep=keys)
    for part in _parts(keys, 200):
        kept = shelf.get(part)
        for key in part:
            yield decode_rows(kept[key])


def _parts(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for first in range(0, len(keys), size):
        yield keys[first : first + size]


def _changed(stock: Stock) -> dict[File, str]:
    return {(stock.name, file.path): file.changed for file in stock.cut.files if file.changed}

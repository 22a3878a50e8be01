"""One repository's candidates: made anew only where something they depend on changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from msgspec import structs

from repo_tune_pipeline.ingestion import load_changes
from repo_tune_pipeline.records import Change, CodeChunk, Rejection
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.jobs import (
    ROWS_VERSION,
    FileJob,
    FileRows,
    by_file,
    context_of,
    decode_rows,
    job_key,
    rows_of,
    run_jobs,
)
from repo_tune_pipeline.sft.lines import COMMIT_LATER, with_commit
from repo_tune_pipeline.sft.making import Outcomes, make_for_changes, make_for_repository
from repo_tune_pipeline.sft.outline import outline_of
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.plan import plan
from repo_tune_pipeline.sft.selection import Candidate
from repo_tune_pipeline.sft.split import File
from repo_tune_pipeline.sft.stock import Reader, Stock
from repo_tune_pipeline.sft.tasks import TASK_VERSIONS, chunk_tasks
from repo_tune_pipeline.shelf import Shelf

Taught = Callable[[Sequence[CodeChunk]], Outcomes]
"""What a teacher adds for some chunks."""
_AT_A_TIME = 200


@dataclass
class Collected:
    """One repository's candidates without their lines.

    `numbers` are their lines' in the spool, in the same order, and `rejects` those of the blocks
    of lines that say what wasn't made, whose `reasons` are counted. `dropped` are what the stages
    before dropped. Quotes that are in the repository's vocabulary are taken out of the candidates.
    """

    dropped: list[Rejection]
    files_kept: int
    chunks_kept: int
    changed: dict[File, str]
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    numbers: list[int] = field(default_factory=list[int])
    rejects: list[int] = field(default_factory=list[int])
    reasons: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True)
class Wishes:
    """What examples are to be made, and by whom."""

    settings: SftSettings
    packs: Sequence[DomainPack]
    taught: Taught | None = None


def collect(
    stock: Stock,
    reader: Reader,
    copied: Mapping[str, str],
    wishes: Wishes,
    put_aside: Callable[[bytes], int],
) -> Collected:
    """Make one repository's examples; each line goes through `put_aside`, which numbers it.

    Args:
        stock: the repository.
        reader: reads its chunks.
        copied: the ids of chunks of which nothing is made → why.
        wishes: which examples.
        put_aside: keeps bytes.

    Raises:
        StorageError: what the stages before left isn't whole, or the disk is full.
    """
    contents = reader.contents(stock)
    files_kept, dropped = stock.dropped_files()
    changed = {(stock.name, file.path): file.changed for file in stock.cut.files if file.changed}
    found = Collected([*dropped, *contents.rejections], files_kept, len(contents.chunks), changed)
    commit, known = stock.cut.commit, contents.vocabulary
    for rows in _all_rows(stock, reader, copied, wishes):
        for row in rows.rows:
            candidate = row.candidate
            if candidate.quotes:
                unknown = tuple(name for name in candidate.quotes if not known.holds(name))
                candidate = structs.replace(candidate, quotes=unknown)
            found.candidates.append(candidate)
            found.numbers.append(put_aside(with_commit(row.line, commit)))
        if rows.rejects:
            found.rejects.append(put_aside(rows.rejects))
            found.reasons.update(rows.reasons)
    return found


def _all_rows(
    stock: Stock, reader: Reader, copied: Mapping[str, str], wishes: Wishes
) -> Iterator[FileRows]:
    chunks, settings = reader.contents(stock).chunks, wishes.settings
    tasks = chunk_tasks(settings.tasks, wishes.packs)
    planned = plan(chunks, reader.links(stock), tasks, settings, copied)
    yield from _file_rows(stock, list(by_file(planned)), wishes)
    if "repo_overview" in settings.tasks:
        outline = outline_of(stock.name, COMMIT_LATER, stock.cut.files, chunks)
        yield from rows_of([make_for_repository(outline, settings=settings)])
    if "change" in settings.tasks:
        changes: Sequence[Change] = load_changes(stock.snapshot)
        yield from rows_of([make_for_changes(changes, stock.name, settings=settings)])
    if wishes.taught is not None:
        originals = [chunk for chunk in chunks if chunk.chunk_id not in copied]
        yield from rows_of([wishes.taught(originals)])


def _file_rows(stock: Stock, jobs: Sequence[FileJob], wishes: Wishes) -> Iterator[FileRows]:
    """The rows of each file in its order, from the shelf or made now."""
    context = context_of(wishes.settings, wishes.packs)
    versions = orjson.dumps([ROWS_VERSION, TASK_VERSIONS], option=orjson.OPT_SORT_KEYS).decode()
    keys = [job_key(job, context, versions) for job in jobs]
    shelf = Shelf(stock.chunks.with_name("examples.db"))
    known = shelf.keys()
    missing = [number for number, key in enumerate(keys) if key not in known]
    made: dict[bytes, bytes] = {}
    decoded: dict[bytes, FileRows] = {}
    for number, rows in run_jobs([jobs[number] for number in missing], context):
        key = keys[missing[number]]
        made[key], decoded[key] = rows, decode_rows(rows)
    shelf.put(made, keep=keys)
    for first in range(0, len(keys), _AT_A_TIME):
        part = keys[first : first + _AT_A_TIME]
        kept = shelf.get(key for key in part if key not in decoded)
        yield from (decoded[key] if key in decoded else decode_rows(kept[key]) for key in part)

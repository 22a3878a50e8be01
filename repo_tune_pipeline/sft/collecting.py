"""One repository's candidates: made anew only where something they depend on changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from repo_tune_pipeline.sft.lengths import TokenLimit
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
_AT_A_TIME = 500


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
    """What examples are to be made, by whom, and how long they may be."""

    settings: SftSettings
    packs: Sequence[DomainPack]
    taught: Taught | None = None
    limit: TokenLimit | None = None


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
    rejects: dict[int, int] = {}
    for number, rows in _all_rows(stock, reader, copied, wishes):
        for row in rows.rows:
            candidate = row.candidate
            if candidate.quotes:
                unknown = tuple(name for name in candidate.quotes if not known.holds(name))
                candidate = structs.replace(candidate, quotes=unknown)
            found.candidates.append(candidate)
            found.numbers.append(put_aside(with_commit(row.line, commit)))
        if rows.rejects:
            rejects[number] = put_aside(rows.rejects)
            found.reasons.update(rows.reasons)
    found.rejects = [rejects[number] for number in sorted(rejects)]
    return found


def _all_rows(
    stock: Stock, reader: Reader, copied: Mapping[str, str], wishes: Wishes
) -> Iterator[tuple[int, FileRows]]:
    """All rows, as they come, each with its place: files by path, then the repository's own."""
    chunks, settings = reader.contents(stock).chunks, wishes.settings
    tasks = chunk_tasks(settings.tasks, wishes.packs)
    jobs = list(by_file(plan(chunks, reader.links(stock), tasks, settings, copied)))
    with ThreadPoolExecutor(1) as aside:
        # Made in this process, while worker processes make the rest.
        others = aside.submit(_repository_rows, stock, chunks, wishes)
        yield from _file_rows(stock, jobs, wishes)
        yield from enumerate(others.result(), len(jobs))
    if wishes.taught is not None:
        originals = [chunk for chunk in chunks if chunk.chunk_id not in copied]
        yield len(jobs) + 2, rows_of([wishes.taught(originals)], wishes.limit)[0]


def _repository_rows(stock: Stock, chunks: Sequence[CodeChunk], wishes: Wishes) -> list[FileRows]:
    settings = wishes.settings
    outline = outline_of(stock.name, COMMIT_LATER, stock.cut.files, chunks)
    changes: Sequence[Change] = load_changes(stock.snapshot) if "change" in settings.tasks else ()
    return rows_of(
        [
            make_for_repository(outline, settings=settings),
            make_for_changes(changes, stock.name, settings=settings),
        ],
        wishes.limit,
    )


def _file_rows(
    stock: Stock, jobs: Sequence[FileJob], wishes: Wishes
) -> Iterator[tuple[int, FileRows]]:
    """Each file's number and rows: those from the shelf, then those made now, as they come."""
    context = context_of(wishes.settings, wishes.packs, wishes.limit)
    versions = orjson.dumps([ROWS_VERSION, TASK_VERSIONS], option=orjson.OPT_SORT_KEYS).decode()
    keys = [job_key(job, context, versions) for job in jobs]
    shelf = Shelf(stock.chunks.with_name("examples.db"))
    known = shelf.keys()
    old = [number for number, key in enumerate(keys) if key in known]
    for part in _batched(old, _AT_A_TIME):
        kept = shelf.get(keys[number] for number in part)
        yield from ((number, decode_rows(kept[keys[number]])) for number in part)
    new = [number for number, key in enumerate(keys) if key not in known]
    made: dict[bytes, bytes] = {}
    for at, rows in run_jobs([jobs[number] for number in new], context):
        made[keys[new[at]]] = rows
        yield new[at], decode_rows(rows)
        if len(made) >= _AT_A_TIME:
            shelf.put(made)
            made.clear()
    shelf.put(made, keep=keys)


def _batched(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Runs of `size` items, the last one shorter."""
    return (items[first : first + size] for first in range(0, len(items), size))

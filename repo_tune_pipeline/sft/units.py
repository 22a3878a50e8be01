"""Every chunk as duplicates are told by, worked out once for each content."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b

import msgspec

from repo_tune_pipeline.chunking import CutFile
from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft.code import without_doc
from repo_tune_pipeline.sft.duplicates import Unit
from repo_tune_pipeline.sft.prints import PRINTS_VERSION, Prints, prints_of_many
from repo_tune_pipeline.sft.stock import Contents, Reader, Stock
from repo_tune_pipeline.shelf import Shelf

LIMITS = Limits(seconds=60, memory_mib=1_024)
_JOB_CHARS = 400_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Prints]).decode


def printed_text(chunk: CodeChunk) -> str:
    """The text by which copies of a chunk are told: its code or, where that is blank, all."""
    code = without_doc(chunk.source, chunk.doc_span)
    return code if code.strip() else chunk.source


def units_of(stock: Stock, contents: Contents) -> list[Unit]:
    """A unit for each chunk of a repository, in their order."""
    shelf = Shelf(stock.chunks.with_name("prints.db"))
    keys = [_key(file) for file, _count in contents.files]
    kept = shelf.get(keys)
    missing = [number for number, key in enumerate(keys) if key not in kept]
    fresh = _printed(contents, missing)
    shelf.put({keys[number]: _encode(prints) for number, prints in fresh.items()}, keep=keys)
    units: list[Unit] = []
    at = 0
    for number, (_file, count) in enumerate(contents.files):
        prints = fresh[number] if number in fresh else _decode(kept[keys[number]])
        chunks = contents.chunks[at : at + count]
        units += map(_unit, chunks, prints)
        at += count
    return units


class PrintedTexts:
    """The texts that the prints of units were made of, by chunk ids."""

    def __init__(self, stocks: Sequence[Stock], reader: Reader, units: Sequence[Unit]) -> None:
        self._stocks, self._reader, self._units = stocks, reader, units

    @cached_property
    def _files(self) -> dict[str, tuple[str, str]]:
        return {unit.chunk_id: (unit.repo, unit.path) for unit in self._units}

    def __call__(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        places: dict[str, dict[str, str]] = defaultdict(dict)
        for id in chunk_ids:
            repo, path = self._files[id]
            places[repo][id] = path
        return {
            chunk.chunk_id: printed_text(chunk)
            for stock in self._stocks
            if stock.name in places
            for chunk in self._reader.chunks(stock, places[stock.name])
        }


def print_texts(texts: list[str], context: bytes) -> list[Prints]:  # noqa: ARG001
    """`prints_of_many`, as a worker calls it."""
    return prints_of_many(texts)


def _printed(contents: Contents, numbers: Sequence[int]) -> dict[int, list[Prints]]:
    """The prints of some files' chunks, by the files' numbers."""
    begins = [0]
    for _file, count in contents.files:
        begins.append(begins[-1] + count)
    texts = {
        number: [printed_text(one) for one in contents.chunks[begins[number] : begins[number + 1]]]
        for number in numbers
    }
    jobs = list(_jobs(texts))
    workers = min(len(os.sched_getaffinity(0)), len(jobs))
    arguments = ([text for number in job for text in texts[number]] for job in jobs)
    found: dict[int, list[Prints]] = {}
    for at, prints in run_pool(print_texts, arguments, LIMITS, workers=workers):
        if isinstance(prints, Failure):
            # Text that passed the gates is printed in time: this machine is out of memory.
            prints = [one for number in jobs[at] for one in prints_of_many(texts[number])]
        rest = iter(prints)
        found |= {number: [next(rest) for _ in texts[number]] for number in jobs[at]}
    return found


def _jobs(texts: dict[int, list[str]]) -> Iterator[list[int]]:
    job: list[int] = []
    size = 0
    for number, parts in texts.items():
        job.append(number)
        size += sum(map(len, parts))
        if size >= _JOB_CHARS:
            yield job
            job, size = [], 0
    if job:
        yield job


def _unit(chunk: CodeChunk, prints: Prints) -> Unit:
    return Unit(
        chunk.chunk_id,
        chunk.repo,
        chunk.path,
        chunk.start_line,
        bool(chunk.docstring),
        chunk.license,
        prints,
    )


def _key(file: CutFile) -> bytes:
    key = blake2b(PRINTS_VERSION.encode(), digest_size=16)
    key.update(file.key)
    key.update(file.path.encode("utf-8", "surrogatepass"))
    return key.digest()

"""Many files examined: what was examined before is remembered, the rest shared among processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from repo_tune_pipeline.ingestion.attributes import Said
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.examination import EXAMINER_VERSION, Examined, examine
from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline.shelf import Shelf

LIMITS = Limits(seconds=20, memory_mib=1_024)
BYTES_A_WORKER = 500_000
"""Starting the first worker takes as long as examining about this much."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Examined).decode

SaidOf = Callable[[str], Said]
Outcome = tuple[Entry, Examined | None]
"""An entry, with its blob, and what its content told; None where there is no content."""


@dataclass(frozen=True, slots=True)
class ExamineJob:
    """One file to examine."""

    path: str
    data: bytes
    max_file_bytes: int
    said: Said


def examine_job(job: ExamineJob, context: bytes) -> Examined:  # noqa: ARG001
    """`examine`, as a worker calls it."""
    return examine(job.path, job.data, job.max_file_bytes, job.said)


class Examiner:
    """Examines entries; `memory` remembers what came of a path's content, None remembers nothing.

    `forget_others` drops from the memory what this examiner wasn't asked about.
    """

    def __init__(self, memory: Shelf | None, max_file_bytes: int, said_of: SaidOf) -> None:
        self._memory = memory
        self._max_file_bytes = max_file_bytes
        self._said_of = said_of
        self._used: set[bytes] = set()
        self._fresh: dict[bytes, bytes] = {}

    def examined(self, entries: Sequence[Entry], read: Read) -> Iterator[Outcome]:
        """What came of each entry, in no particular order."""
        keys = {entry.path: self._key(entry) for entry in entries if entry.blob}
        known = self._memory.get(keys.values()) if self._memory is not None else {}
        self._used.update(known)
        missing: list[Entry] = []
        for entry in entries:
            kept = known.get(keys.get(entry.path, b""))
            if kept is None:
                missing.append(entry)
            else:
                yield entry, _decode(kept)
        for entry, outcome in self._read_anew(missing, read):
            if outcome is not None and self._memory is not None:
                key = self._key(entry)
                self._used.add(key)
                self._fresh[key] = _encode(outcome)
            yield entry, outcome

    def forget_others(self) -> None:
        """Remember what was found, and nothing else."""
        if self._memory is not None:
            self._memory.put(self._fresh, keep=self._used)

    def _read_anew(self, entries: Sequence[Entry], read: Read) -> Iterator[Outcome]:
        absent: list[Entry] = []
        order: list[Entry] = []
        jobs = self._jobs(read(entries), absent, order)
        size = sum(entry.size for entry in entries)
        if size < BYTES_A_WORKER:
            for number, job in enumerate(jobs):
                yield order[number], examine_job(job, b"")
        else:
            workers = min(len(os.sched_getaffinity(0)), 1 + size // BYTES_A_WORKER)
            for number, found in run_pool(examine_job, jobs, LIMITS, workers=workers):
                failed = isinstance(found, Failure)
                yield order[number], Examined("pathological", "") if failed else found
        yield from ((entry, None) for entry in absent)

    def _jobs(
        self,
        contents: Iterable[tuple[Entry, bytes | None]],
        absent: list[Entry],
        order: list[Entry],
    ) -> Iterator[ExamineJob]:
        """One job for each entry with content; `order` tells a job's entry by its number."""
        for entry, data in contents:
            if data is None:
                absent.append(entry)
                continue
            path = entry.path.decode()
            order.append(entry)
            yield ExamineJob(path, data, self._max_file_bytes, self._said_of(path))

    def _key(self, entry: Entry) -> bytes:
        said = self._said_of(entry.path.decode())
        parts = (EXAMINER_VERSION, self._max_file_bytes, entry.path, entry.blob, said)
        return blake2b(_encode(parts), digest_size=16).digest()

"""What is made of which chunk: everything, or as much as a repository's budget allows.

A large repository has room for far more examples than anyone trains on. What is made of it is
chosen before it is made, so that its cost is that of what is kept. Each pair of a chunk and a
task gets a number from 0 to 1 by a hash, divided by the task's weight; those with the least are
made, until they would come to the budget. So a pair is chosen with a probability in proportion to
its task's weight, chunks of all files have the same chance, and what a commit adds moves few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec
import xxhash

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.cuts import most_pieces
from repo_tune_pipeline.sft.links import NO_LINKS, Links
from repo_tune_pipeline.sft.tasks.base import ChunkTask

OVER_BUDGET = "over_budget"
_COMPLETED, _OF_A_DOMAIN = 0.75, 0.3
_EXPLAINED, _EXPLAINED_UNDOCUMENTED = 0.85, 0.15
_MEMBERS_ELSEWHERE = frozenset({"Go", "Rust", "C", "C++"})


class Planned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One chunk with what tasks want to know of it, and the tasks that are made of it.

    `last_line` is the end of the whole definition, 0 where it isn't known. Where a task could be
    made and isn't, `reason` says why.
    """

    chunk: CodeChunk
    links: Links
    last_line: int
    tasks: tuple[TaskName, ...]
    reason: str = ""


def plan(
    chunks: Sequence[CodeChunk],
    links: Mapping[str, Links],
    tasks: Sequence[ChunkTask],
    settings: SftSettings,
    copied: Mapping[str, str],
) -> list[Planned]:
    """What is made of each chunk of one repository, in their order.

    Args:
        chunks: all of them, sorted by path.
        links: by chunk id.
        tasks: those made from chunks.
        settings: the budget and the weights.
        copied: chunk ids → the reason why nothing is made of them.
    """
    taken: dict[str, tuple[TaskName, ...]] = {
        one.chunk_id: tuple([task.name for task in tasks if task.takes(one)]) for one in chunks
    }
    rest = [one for one in chunks if one.chunk_id not in copied]
    chosen = _chosen(rest, links, taken, settings)
    ends = last_lines(chunks)
    planned: list[Planned] = []
    for chunk in chunks:
        id, names = chunk.chunk_id, taken[chunk.chunk_id]
        wanted, reason = names, copied.get(id, "")
        if reason:
            wanted = ()
        elif chosen is not None:
            wanted = chosen[id]
            reason = OVER_BUDGET if len(wanted) < len(names) else ""
        planned.append(
            Planned(chunk, links.get(id, NO_LINKS), ends.get(id, chunk.end_line), wanted, reason)
        )
    return planned


def last_lines(chunks: Sequence[CodeChunk]) -> dict[str, int]:
    """Where definitions end whose chunk doesn't: the last part's end, or 0 for the head of a type.

    A long type's chunk ends before its members, which are chunks of their own.
    """
    ends = {
        _whole(chunk): chunk.end_line
        for chunk in chunks
        if chunk.part[1] > 1 and chunk.part[0] == chunk.part[1]
    }
    members: dict[tuple[str, str], int] = {}
    for chunk in chunks:
        owner = chunk.path, chunk.symbol.rpartition(".")[0]
        members[owner] = max(members.get(owner, 0), chunk.start_line)
    found: dict[str, int] = {}
    for chunk in chunks:
        inside = chunk.kind == "type" and chunk.language not in _MEMBERS_ELSEWHERE
        if inside and members.get((chunk.path, chunk.symbol), 0) > chunk.end_line:
            found[chunk.chunk_id] = 0
        elif (end := ends.get(_whole(chunk))) is not None:
            found[chunk.chunk_id] = end
    return found


def _whole(chunk: CodeChunk) -> tuple[str, str, str, int]:
    return chunk.path, chunk.symbol, chunk.signature, chunk.part[1]


def _chosen(
    chunks: Sequence[CodeChunk],
    links: Mapping[str, Links],
    taken: Mapping[str, tuple[TaskName, ...]],
    settings: SftSettings,
) -> dict[str, tuple[TaskName, ...]] | None:
    """Chunk id → tasks within the budget; None if all are."""
    pairs: list[tuple[str, TaskName, float]] = [
        (chunk.chunk_id, name, expected)
        for chunk in chunks
        for name in taken[chunk.chunk_id]
        if (expected := _expected(chunk, name, links.get(chunk.chunk_id, NO_LINKS)))
    ]
    budget = settings.max_examples_per_repository
    if sum(expected for _id, _name, expected in pairs) <= budget:
        return None
    ranked = sorted(
        (_drawn(name, id) / _weight(settings, name, expected), id, name, expected)
        for id, name, expected in pairs
    )
    spent = accumulate(expected for _rank, _id, _name, expected in ranked)
    gone = {
        (id, name) for (_rank, id, name, _), sum in zip(ranked, spent, strict=True) if sum > budget
    }
    return {
        chunk.chunk_id: tuple(
            name for name in taken[chunk.chunk_id] if (chunk.chunk_id, name) not in gone
        )
        for chunk in chunks
    }


def _drawn(task: TaskName, chunk_id: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{task}\0{chunk_id}".encode())


def _weight(settings: SftSettings, task: TaskName, expected: float) -> float:
    """What seldom gives an example is drawn as seldom."""
    return settings.task_weights.get(task, 1.0) * min(expected, 1.0)


def _expected(chunk: CodeChunk, task: TaskName, links: Links) -> float:
    """About how many examples a task makes of a chunk; 0 where it certainly makes none.

    What makes none costs next to nothing, and its own reason says more than the budget's. The
    shares are those of five repositories in as many languages (README).
    """
    match task:
        case "code_completion":
            return _COMPLETED * most_pieces(chunk.end_line - chunk.start_line + 1)
        case "code_explanation":
            return _EXPLAINED if chunk.docstring else _EXPLAINED_UNDOCUMENTED
        case "documentation":
            return float(_says_something(chunk))
        case "domain":
            return _OF_A_DOMAIN * _says_something(chunk)
        case "api_usage":
            return float(min(len(links.callers), 2))
        case "test_generation":
            return float(bool(links.tests))
        case _:
            return 1.0


def _says_something(chunk: CodeChunk) -> bool:
    return bool(chunk.docstring) or chunk.kind == "section"

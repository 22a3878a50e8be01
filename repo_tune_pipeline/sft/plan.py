"""What is made of which chunk: everything, or as much as a repository's budget allows.

A large repository has room for far more examples than anyone trains on. What is made of it is
chosen before it is made, so that its cost is that of what is kept. Each pair of a chunk and a
task gets a number by a hash, divided by the task's weight; those with the least are
made, until they would come to the budget. So a pair is chosen with a probability in proportion to
its task's weight, chunks of all files have the same chance, and what a commit adds moves few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from itertools import accumulate

import msgspec
import xxhash

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.cuts import most_pieces
from repo_tune_pipeline.sft.links import NO_LINKS, Links
from repo_tune_pipeline.sft.tasks.base import ChunkTask, ChunkView

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
    ends = last_lines(chunks)
    everything: list[Planned] = []
    for chunk in chunks:
        id = chunk.chunk_id
        view = ChunkView(chunk, links.get(id, NO_LINKS), ends.get(id, chunk.end_line))
        reason = copied.get(id, "")
        wanted: tuple[TaskName, ...] = ()
        if not reason:
            wanted = tuple([task.name for task in tasks if task.takes(view)])
        everything.append(Planned(chunk, view.links, view.last_line, wanted, reason))
    gone = _over_budget(everything, settings)
    return [_without(one, gone[one.chunk.chunk_id]) if gone else one for one in everything]


def _without(one: Planned, gone: Set[TaskName]) -> Planned:
    if not gone:
        return one
    rest: tuple[TaskName, ...] = tuple([name for name in one.tasks if name not in gone])
    return Planned(one.chunk, one.links, one.last_line, rest, OVER_BUDGET)


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


def _over_budget(
    planned: Sequence[Planned], settings: SftSettings
) -> dict[str, set[TaskName]] | None:
    """Chunk id → tasks for which there is no room; None if there is for all."""
    pairs: list[tuple[str, TaskName, float]] = [
        (one.chunk.chunk_id, name, _expected(one.chunk, name, one.links))
        for one in planned
        for name in one.tasks
    ]
    budget = settings.max_examples_per_repository
    if sum(expected for _id, _name, expected in pairs) <= budget:
        return None
    ranked: list[tuple[float, str, TaskName, float]] = sorted(
        (_drawn(name, id) / _weight(settings, name, expected), id, name, expected)
        for id, name, expected in pairs
    )
    gone: dict[str, set[TaskName]] = defaultdict(set)
    for (_rank, id, name, _), spent in zip(
        ranked, accumulate(expected for _rank, _id, _name, expected in ranked), strict=True
    ):
        if spent > budget:
            gone[id].add(name)
    return gone


def _drawn(task: TaskName, chunk_id: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{task}\0{chunk_id}".encode())


def _weight(settings: SftSettings, task: TaskName, expected: float) -> float:
    """What seldom gives an example is drawn as seldom."""
    return settings.task_weights.get(task, 1.0) * min(expected, 1.0)


def _expected(chunk: CodeChunk, task: TaskName, links: Links) -> float:
    """About how many examples a task makes of a chunk that it takes.

    Rough shares: a count on one Rust repository gave 0.56, 0.85, 0.03 and 0.13; other languages
    explain and document more. They decide how near the budget is met, not what is true.
    """
    match task:
        case "code_completion":
            return _COMPLETED * most_pieces(chunk.end_line - chunk.start_line + 1)
        case "code_explanation":
            return _EXPLAINED if chunk.docstring else _EXPLAINED_UNDOCUMENTED
        case "domain":
            return _OF_A_DOMAIN
        case "api_usage":
            return float(min(len(links.callers), 2))
        case _:
            return 1.0

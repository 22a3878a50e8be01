"""From chunks, changes and outlines to finished examples, each past the gates or with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from repo_tune_pipeline.records import Change, CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.gates import Made, Maker, Outcomes
from repo_tune_pipeline.sft.links import NO_LINKS, Links
from repo_tune_pipeline.sft.outline import RepoOutline
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.tasks import change_tasks, chunk_tasks, repository_tasks
from repo_tune_pipeline.sft.tasks.base import ChunkView, Verdict

__all__ = [
    "Made",
    "Outcomes",
    "make_for_changes",
    "make_for_file",
    "make_for_repository",
    "make_from_drafts",
]
_MEMBERS_ELSEWHERE = frozenset({"Go", "Rust", "C", "C++"})


def make_for_file(
    chunks: Sequence[CodeChunk],
    links: Mapping[str, Links],
    *,
    settings: SftSettings,
    packs: Sequence[DomainPack],
) -> Outcomes:
    """Every example that one file's chunks give; `links` are by chunk id."""
    maker = Maker(settings)
    tasks = chunk_tasks(settings.tasks, packs)
    ends = _ends(chunks)
    for chunk in sorted(chunks, key=_order):
        last_line = ends.get((chunk.symbol, chunk.signature, chunk.part[1]))
        view = ChunkView(chunk, links.get(chunk.chunk_id, NO_LINKS), last_line)
        for task in tasks:
            if task.takes(chunk):
                for verdict in task.examples(view):
                    maker.take_chunk(task.name, chunk, verdict)
    return maker.outcomes()


def make_for_repository(outline: RepoOutline, *, settings: SftSettings) -> Outcomes:
    """Every example that a repository as a whole gives."""
    maker = Maker(settings)
    for task in repository_tasks(settings.tasks):
        for placed in task.examples(outline):
            maker.take_placed(task.name, outline.repo, placed)
    return maker.outcomes()


def make_for_changes(changes: Iterable[Change], repo: str, *, settings: SftSettings) -> Outcomes:
    """Every example that a repository's changes give."""
    maker = Maker(settings)
    for task in change_tasks(settings.tasks):
        for change in changes:
            for placed in task.examples(change, repo):
                maker.take_placed(task.name, repo, placed)
    return maker.outcomes()


def make_from_drafts(
    drafts: Iterable[tuple[TaskName, CodeChunk, Verdict]], *, settings: SftSettings
) -> Outcomes:
    """The gates alone, over drafts from elsewhere."""
    maker = Maker(settings)
    for task, chunk, verdict in drafts:
        maker.take_chunk(task, chunk, verdict)
    return maker.outcomes()


def _ends(chunks: Sequence[CodeChunk]) -> dict[tuple[str, str, int], int]:
    """Where definitions end whose chunk doesn't: the last part's end, or 0 for the head of a type.

    A long type's chunk ends before its members, which are chunks of their own.
    """
    ends = {
        (chunk.symbol, chunk.signature, chunk.part[1]): chunk.end_line
        for chunk in chunks
        if chunk.part[1] > 1 and chunk.part[0] == chunk.part[1]
    }
    members: dict[str, int] = {}
    for chunk in chunks:
        owner = chunk.symbol.rpartition(".")[0]
        members[owner] = max(members.get(owner, 0), chunk.start_line)
    for chunk in chunks:
        inside = chunk.kind == "type" and chunk.language not in _MEMBERS_ELSEWHERE
        if inside and members.get(chunk.symbol, 0) > chunk.end_line:
            ends[chunk.symbol, chunk.signature, chunk.part[1]] = 0
    return ends


def _order(chunk: CodeChunk) -> tuple[int, int, str]:
    return chunk.start_line, chunk.end_line, chunk.chunk_id

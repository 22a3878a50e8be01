"""From chunks, changes and outlines to finished examples, each past the gates or with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from repo_tune_pipeline.records import Change, CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.gates import Made, Maker, Outcomes
from repo_tune_pipeline.sft.links import Links
from repo_tune_pipeline.sft.outline import RepoOutline
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.plan import Planned, plan
from repo_tune_pipeline.sft.tasks import change_tasks, chunk_tasks, repository_tasks
from repo_tune_pipeline.sft.tasks.base import ChunkView, Verdict

__all__ = [
    "Made",
    "Outcomes",
    "make_for_changes",
    "make_for_file",
    "make_for_repository",
    "make_from_drafts",
    "make_planned",
]


def make_for_file(
    chunks: Sequence[CodeChunk],
    links: Mapping[str, Links],
    *,
    settings: SftSettings,
    packs: Sequence[DomainPack],
) -> Outcomes:
    """Every example that one file's chunks give; `links` are by chunk id."""
    ordered = sorted(chunks, key=lambda one: (one.start_line, one.end_line, one.chunk_id))
    tasks = chunk_tasks(settings.tasks, packs)
    return make_planned(plan(ordered, links, tasks, settings, {}), settings=settings, packs=packs)


def make_planned(
    planned: Iterable[Planned], *, settings: SftSettings, packs: Sequence[DomainPack]
) -> Outcomes:
    """The examples of some chunks that were planned, and a rejection for each that has a reason
    why not all were.
    """
    maker = Maker(settings)
    tasks = {task.name: task for task in chunk_tasks(settings.tasks, packs)}
    for one in planned:
        view = ChunkView(one.chunk, one.links, one.last_line)
        for name in one.tasks:
            for verdict in tasks[name].examples(view):
                maker.take_chunk(name, one.chunk, verdict)
        if one.reason:
            maker.refuse("", one.chunk, one.reason)
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

"""The kinds of training example, a file each."""

from __future__ import annotations

from collections.abc import Sequence

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.tasks.api_usage import ApiUsage
from repo_tune_pipeline.sft.tasks.base import ChangeTask, ChunkTask, RepositoryTask
from repo_tune_pipeline.sft.tasks.change import Changes
from repo_tune_pipeline.sft.tasks.code_completion import CodeCompletion
from repo_tune_pipeline.sft.tasks.code_explanation import CodeExplanation
from repo_tune_pipeline.sft.tasks.code_location import CodeLocation
from repo_tune_pipeline.sft.tasks.documentation import Documentation
from repo_tune_pipeline.sft.tasks.domain import Domain
from repo_tune_pipeline.sft.tasks.repo_overview import RepoOverview
from repo_tune_pipeline.sft.tasks.test_generation import TestGeneration


def chunk_tasks(names: Sequence[TaskName], packs: Sequence[DomainPack]) -> list[ChunkTask]:
    """The tasks called `names` that are made from chunks."""
    known: list[ChunkTask] = [
        CodeExplanation(),
        CodeCompletion(),
        Documentation(),
        Domain(packs),
        CodeLocation(),
        ApiUsage(),
        TestGeneration(),
    ]
    return [task for task in known if task.name in names]


def repository_tasks(names: Sequence[TaskName]) -> list[RepositoryTask]:
    """The tasks called `names` that are made from a repository's outline."""
    known: list[RepositoryTask] = [RepoOverview()]
    return [task for task in known if task.name in names]


def change_tasks(names: Sequence[TaskName]) -> list[ChangeTask]:
    """The tasks called `names` that are made from changes."""
    known: list[ChangeTask] = [Changes()]
    return [task for task in known if task.name in names]


TASK_VERSIONS: dict[TaskName, str] = {
    task.name: task.version
    for task in (
        CodeExplanation(),
        CodeCompletion(),
        Documentation(),
        Domain(()),
        CodeLocation(),
        ApiUsage(),
        TestGeneration(),
        Changes(),
        RepoOverview(),
    )
}
"""What examples that were kept from before depend on."""

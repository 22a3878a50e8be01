"""The kinds of training example, a file each."""

from __future__ import annotations

from collections.abc import Sequence

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.tasks.base import Task
from repo_tune_pipeline.sft.tasks.code_completion import CodeCompletion
from repo_tune_pipeline.sft.tasks.code_explanation import CodeExplanation
from repo_tune_pipeline.sft.tasks.documentation import Documentation
from repo_tune_pipeline.sft.tasks.domain import Domain


def make_tasks(names: Sequence[TaskName], packs: Sequence[DomainPack]) -> list[Task]:
    """The tasks called `names`, in that order, each once.

    Raises:
        ConfigError: a task that this version doesn't make.
    """
    known: list[Task] = [CodeExplanation(), CodeCompletion(), Documentation(), Domain(packs)]
    by_name = {task.name: task for task in known}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ConfigError(
            f"`sft.tasks` names {unknown[0]}, which isn't made yet.",
            f"Allowed here: {', '.join(by_name)}.",
        )
    return [by_name[name] for name in dict.fromkeys(names)]

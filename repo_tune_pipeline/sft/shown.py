"""The code that an example shows: what must not be alike on two sides of the split."""

from __future__ import annotations

from repo_tune_pipeline.records import TaskName

_INPUT_ONLY = frozenset[TaskName](("code_explanation", "documentation", "code_location"))
"""Their output is prose or a place, and prose about code is alike without being a leak."""


def shown_code(task: TaskName, input: str, output: str) -> str:
    """What an example shows of a repository's own text; empty where that is nothing.

    A lone surrogate is a question mark, as in the files: UTF-8 can't hold one.
    """
    if task == "repo_overview":
        return ""
    text = input if task in _INPUT_ONLY else f"{input}\n{output}"
    return text.encode("utf-8", "replace").decode()

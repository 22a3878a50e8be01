"""Caps: no file, symbol or task may fill a data set. Who is dropped is decided by hash order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Protocol

from repo_tune_pipeline.records import TaskName


class Capped(Protocol):
    """What caps look at."""

    @property
    def id(self) -> str: ...
    @property
    def task(self) -> TaskName: ...
    @property
    def repo(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def symbol(self) -> str: ...


by_id = attrgetter("id")
"""A sort key: ids are hashes, so their order is mixed, and the same everywhere."""


def over_caps(
    examples: Sequence[Capped], per_file: int, per_symbol: int, per_repository: int
) -> dict[str, str]:
    """Example ids → `file_cap`, `symbol_cap` or `repository_cap`, for what is too much of one."""
    files: Counter[tuple[str, str]] = Counter()
    symbols: Counter[tuple[str, str, str]] = Counter()
    repositories: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for one in sorted(examples, key=by_id):
        file, symbol = (one.repo, one.path), (one.repo, one.path, one.symbol)
        if files[file] >= per_file:
            reasons[one.id] = "file_cap"
        elif one.symbol and symbols[symbol] >= per_symbol:
            reasons[one.id] = "symbol_cap"
        elif repositories[one.repo] >= per_repository:
            reasons[one.id] = "repository_cap"
        else:
            files[file] += 1
            symbols[symbol] += 1
            repositories[one.repo] += 1
    return reasons


def over_shares(examples: Sequence[Capped], max_shares: Mapping[TaskName, float]) -> dict[str, str]:
    """Example ids → `task_share`, for what takes a task over its share of all that is kept."""
    allowed = task_counts(Counter(one.task for one in examples), max_shares)
    taken: Counter[TaskName] = Counter()
    reasons: dict[str, str] = {}
    for one in sorted(examples, key=by_id):
        if taken[one.task] >= allowed[one.task]:
            reasons[one.id] = "task_share"
        taken[one.task] += 1
    return reasons


def task_counts(
    counts: Mapping[TaskName, int], max_shares: Mapping[TaskName, float]
) -> dict[TaskName, int]:
    """How many examples each task may keep so that none exceeds its share of all kept ones.

    A task that stands alone keeps all. Shares that could only be met by an empty data set (all
    tasks are limited, to less than 1 together) are enlarged in proportion until they sum to 1.
    """
    kept: dict[TaskName, int] = {task: count for task, count in counts.items() if count}
    shares: dict[TaskName, float] = {task: max_shares[task] for task in kept if task in max_shares}
    total = sum(shares.values())
    if len(shares) == len(kept) and 0 < total < 1:
        shares = {task: share / total for task, share in shares.items()}
    changed = True
    while changed:
        changed = False
        for task, share in sorted(shares.items()):
            others = sum(kept.values()) - kept[task]
            if share >= 1 or not others:
                continue
            most = int(share * others / (1 - share) + 1e-9)
            if kept[task] > most:
                kept[task], changed = most, True
    return kept

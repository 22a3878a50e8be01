"""Which of all made examples stay, and on which side; each of the others with one reason.

It works on records without text. An example's side is its file's, whatever the other examples
are: more files or repositories never move one, they can only be a reason to leave one out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.leaks import Shown, leaks
from repo_tune_pipeline.sft.prints import Prints
from repo_tune_pipeline.sft.shares import by_id, over_caps, over_shares
from repo_tune_pipeline.sft.similar import TextOf
from repo_tune_pipeline.sft.split import Side, Split

Vocabulary = Callable[[str, str], bool]
"""Whether a name (the second) occurs in a repository (the first)."""


class Candidate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One made example without its text.

    `also` are the other paths of its repository whose text stands in it; `quotes` are the names
    that its answer quotes and its own input doesn't hold. `key` is a hash of 16 bytes of its
    instruction, input and output; `shown` are the prints of the code that it shows, None if none.
    """

    id: str
    task: TaskName
    repo: str
    path: str
    symbol: str
    language: str
    license: str
    also: tuple[str, ...]
    quotes: tuple[str, ...]
    key: bytes
    shown: Prints | None
    lines: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Selection:
    """By id: the side of each candidate that stays, and the reason of each that doesn't."""

    sides: dict[str, Side]
    reasons: dict[str, str]


def select(
    candidates: Sequence[Candidate],
    split: Split,
    settings: SftSettings,
    *,
    vocabulary: Vocabulary,
    shown_of: TextOf,
) -> Selection:
    """Judge each candidate once, by the first reason that applies; their order doesn't matter.

    The reasons, in order: `duplicate_example`, `quotes_unknown_name`, `crosses_the_split` (its
    files are on different sides), `shares_code_with_heldout` and `shares_code_with_train`,
    `file_cap`, `symbol_cap`, `repository_cap`, and in train `task_share`.

    Args:
        candidates: what was made; no two have the same id.
        split: the sides of files.
        settings: threshold, caps and shares.
        vocabulary: whether a name occurs in a repository.
        shown_of: the code that candidates show, by their ids.
    """
    sides: dict[str, Side] = {one.id: split.side(one.repo, one.path) for one in candidates}
    steps: tuple[Callable[[Sequence[Candidate]], Mapping[str, str]], ...] = (
        _repeated,
        partial(_unknown_quotes, vocabulary=vocabulary),
        partial(_crossing, split=split, sides=sides),
        partial(_leaking, sides=sides, shown_of=shown_of, threshold=settings.near_duplicate),
        partial(
            over_caps,
            per_file=settings.max_examples_per_file,
            per_symbol=settings.max_examples_per_symbol,
            per_repository=settings.max_examples_per_repository,
        ),
        partial(_over_shares, sides=sides, settings=settings),
    )
    reasons: dict[str, str] = {}
    rest = sorted(candidates, key=by_id)
    for step in steps:
        reasons.update(step(rest))
        rest = [one for one in rest if one.id not in reasons]
    return Selection({one.id: sides[one.id] for one in rest}, reasons)


def _repeated(candidates: Sequence[Candidate]) -> Mapping[str, str]:
    """Those that say just what one before them says."""
    first: dict[bytes, str] = {}
    return {
        one.id: "duplicate_example"
        for one in candidates
        if first.setdefault(one.key, one.id) != one.id
    }


def _unknown_quotes(candidates: Sequence[Candidate], vocabulary: Vocabulary) -> Mapping[str, str]:
    return {
        one.id: "quotes_unknown_name"
        for one in candidates
        if not all(vocabulary(one.repo, name) for name in one.quotes)
    }


def _crossing(
    candidates: Sequence[Candidate], split: Split, sides: Mapping[str, Side]
) -> Mapping[str, str]:
    return {
        one.id: "crosses_the_split"
        for one in candidates
        if any(split.side(one.repo, path) != sides[one.id] for path in one.also)
    }


def _leaking(
    candidates: Sequence[Candidate], sides: Mapping[str, Side], shown_of: TextOf, threshold: float
) -> Mapping[str, str]:
    shown = [Shown(one.id, sides[one.id] == "train", one.shown) for one in candidates if one.shown]
    gone = leaks(shown, shown_of, threshold)
    return {
        one.id: "shares_code_with_heldout" if one.train else "shares_code_with_train"
        for one in shown
        if one.id in gone
    }


def _over_shares(
    candidates: Sequence[Candidate], sides: Mapping[str, Side], settings: SftSettings
) -> Mapping[str, str]:
    train = [one for one in candidates if sides[one.id] == "train"]
    return over_shares(train, settings.max_shares)

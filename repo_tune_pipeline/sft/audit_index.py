"""Every run of tokens that the evaluation side holds, to look up what train holds of it, exactly.

No hashing and no sampling: each distinct run of 1, 2, 4, 5, 8, 16, 32 and 50 tokens has a number,
that of a longer one made from the numbers of its two halves. A token is a run of ASCII letters,
digits, underscores and characters above U+007F, or any other visible ASCII character by itself;
a shingle is five in a row, and a text of fewer is one shingle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_TOKEN = re.compile(r"[0-9A-Za-z_\u0080-\U0010ffff]+|[!-/:-@\[-^`{-~]")
_SHINGLE = 5
_WINDOW = 50
_NONE, _FILL, _FIRST = 0, 1, 2
_DOUBLINGS = ((2, 1, 1, 1), (4, 2, 2, 2), (5, 4, 1, 4), (8, 4, 4, 4))
_RUNS = (*_DOUBLINGS, (16, 8, 8, 8), (32, 16, 16, 16), (_WINDOW, 32, 32, 18))
"""Length of a run, lengths of the two that make it, and where the second begins."""
_LOW = 2**32 - 1
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Matches:
    """Texts asked about, each with one of the evaluation side, by their positions.

    `near_copies` have a high enough Jaccard similarity, `shared_windows` 50 tokens in a row.
    """

    near_copies: list[tuple[int, int]]
    shared_windows: list[tuple[int, int]]


class EvaluationIndex:
    """All texts of the evaluation side."""

    def __init__(self, texts: Sequence[str], near_duplicate: float) -> None:
        self._threshold = near_duplicate
        self._tokens: dict[str, int] = {}
        self._keys: dict[int, Numbers] = {}
        tokens = [_tokens(text) for text in texts]
        for text in tokens:
            for token in text:
                self._tokens.setdefault(token, len(self._tokens) + _FIRST)
        flat, owners = self._flat(tokens)
        names = self._named(flat, learn=True)
        self._window_owners = _first_owners(names[_WINDOW], owners)
        self._index(names[_SHINGLE], owners)

    def matches(self, texts: Sequence[str]) -> Matches:
        """What each text shares with the evaluation side."""
        tokens = [_tokens(text) for text in texts]
        flat, owners = self._flat(tokens)
        names = self._named(flat)
        sets = _sets(names[_SHINGLE], owners, self._ranks, len(texts))
        return Matches(
            near_copies=[
                (asked, held)
                for asked, known in enumerate(sets)
                for held in self._near(tokens[asked], known)
            ],
            shared_windows=self._shared(names[_WINDOW], owners),
        )

    def _shared(self, windows: Numbers, owners: Numbers) -> list[tuple[int, int]]:
        places = np.flatnonzero(windows)
        asked, first = np.unique(owners[places], return_index=True)
        held = self._window_owners[windows[places[first]]]
        return list(zip(asked.tolist(), held.tolist(), strict=True))

    def _near(self, tokens: Sequence[str], known: Numbers) -> list[int]:
        """The first text that is similar enough, if any.

        Two sets so similar share one of their rarest shingles: only those are looked up.
        """
        candidates = self._candidates(known)
        is_near = (held for held in candidates if self._is_near(tokens, known, self._sets[held]))
        return list(islice(is_near, 1))

    def _flat(self, texts: Sequence[Sequence[str]]) -> tuple[Numbers, Numbers]:
        """All texts' tokens as numbers, with gaps between, and whose text each is of."""
        numbers: list[int] = []
        lengths: list[int] = []
        for text in texts:
            before = len(numbers)
            numbers.extend(self._tokens.get(token, _NONE) for token in text)
            numbers.extend([_FILL] * (max(0, _SHINGLE - len(text)) if text else 0))
            numbers.append(_NONE)
            lengths.append(len(numbers) - before)
        return np.array(numbers, np.int64), np.repeat(np.arange(len(texts)), lengths)

    def _named(self, tokens: Numbers, *, learn: bool = False) -> dict[int, Numbers]:
        """The numbers of the runs that begin at each place, by length; 0 where there is none."""
        names = {1: tokens}
        for length, left, right, offset in _RUNS:
            second = np.append(names[right][offset:], np.zeros(offset, np.int64))[: len(tokens)]
            keys = names[left] << 32 | second
            keys[(names[left] == _NONE) | (second == _NONE)] = _NONE
            if learn:
                self._keys[length] = np.unique(np.append(_NONE, keys))
            names[length] = _numbers(self._keys[length], keys)
        return names

    def _index(self, shingles: Numbers, owners: Numbers) -> None:
        """Sets of shingles by rank, the rarest first, and who holds what among their rarest."""
        pairs = np.unique(owners[shingles > 0] << 32 | shingles[shingles > 0])
        holders = np.bincount(pairs & _LOW, minlength=len(self._keys[_SHINGLE]))
        self._ranks = np.empty(len(holders), np.int64)
        self._ranks[np.argsort(holders, kind="stable")] = np.arange(len(holders))
        count = int(owners[-1]) + 1 if len(owners) else 0
        self._sets = list(_sets(shingles, owners, self._ranks, count))
        seen: set[bytes] = set()
        ranks, held = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for owner, known in enumerate(self._sets):
            if len(known) and known.tobytes() not in seen:
                seen.add(known.tobytes())
                ranks.append(self._rarest(known))
                held.append(np.full(len(ranks[-1]), owner))
        order = np.argsort(np.concatenate(ranks), kind="stable")
        self._posted, self._holders = np.concatenate(ranks)[order], np.concatenate(held)[order]

    def _rarest(self, known: Numbers) -> Numbers:
        common = int(np.ceil(self._threshold * len(known) - _EPSILON))
        return known[: len(known) - max(common, 1) + 1]

    def _candidates(self, known: Numbers) -> list[int]:
        rarest = self._rarest(known)
        begins = np.searchsorted(self._posted, rarest)
        ends = np.searchsorted(self._posted, rarest, side="right")
        hits = np.flatnonzero(ends > begins)
        found = {
            holder for hit in hits for holder in self._holders[begins[hit] : ends[hit]].tolist()
        }
        return sorted(found)

    def _is_near(self, tokens: Sequence[str], known: Numbers, held: Numbers) -> bool:
        if min(len(known), len(held)) < self._threshold * max(len(known), len(held)) - _EPSILON:
            return False
        common = len(np.intersect1d(known, held, assume_unique=True))
        if common < self._threshold * max(len(known), len(held)) - _EPSILON:
            return False
        filled = [*tokens, *[""] * (_SHINGLE - len(tokens))]
        shingles = len(set(zip(*(filled[start:] for start in range(_SHINGLE)), strict=False)))
        return common >= self._threshold * (shingles + len(held) - common) - _EPSILON


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _numbers(keys: Numbers, wanted: Numbers) -> Numbers:
    """The place of each wanted key among all ascending `keys`; 0 for one that isn't there."""
    numbers = np.zeros(len(wanted), np.int64)
    asked = np.flatnonzero(wanted)
    places = np.minimum(np.searchsorted(keys, wanted[asked]), len(keys) - 1)
    numbers[asked] = np.where(keys[places] == wanted[asked], places, _NONE)
    return numbers


def _first_owners(names: Numbers, owners: Numbers) -> Numbers:
    """By number of a run: the first text that holds it."""
    present, first = np.unique(names, return_index=True)
    found = np.zeros(int(present[-1]) + 1 if len(present) else 1, np.int64)
    found[present] = owners[first]
    return found


def _sets(shingles: Numbers, owners: Numbers, ranks: Numbers, count: int) -> Iterator[Numbers]:
    """The ascending ranks of each text's known shingles."""
    known = shingles > 0
    pairs = np.unique(owners[known] << 32 | ranks[shingles[known]])
    bounds = np.searchsorted(pairs >> 32, np.arange(count + 1))
    for text in range(count):
        yield pairs[bounds[text] : bounds[text + 1]] & _LOW

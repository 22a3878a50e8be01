"""Code that train and evaluation both show: which examples must go so that nothing is shared.

Shared is a run of 50 tokens, or a whole text that is nearly another. Each shared thing costs all
the examples of one side that hold it: the side that loses fewer, train where both lose as many.
What lies most unevenly goes first, so that a licence's text in a hundred files and one held-out
example costs that one. The two evaluation sides may share: nothing is learnt from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from repo_tune_pipeline.sft.prints import Hashes, Places, Prints, runs, spread
from repo_tune_pipeline.sft.similar import Mask, Similar, Sketches, TextOf, packed, unpacked

_CROWD = 50_000
"""Where a bucket holds more pairs across the sides, it is a shared thing itself, unconfirmed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One example by the prints of the code that it shows."""

    id: str
    train: bool
    prints: Prints


def leaks(examples: Sequence[Shown], text_of: TextOf, threshold: float) -> set[str]:
    """The ids of the examples that must go.

    Among the others no fingerprint of 50 tokens, and no pair whose Jaccard similarity is at least
    `threshold`, lies on both sides. `text_of` gives the code that examples show, by their ids.
    The result doesn't depend on the examples' order.
    """
    groups: dict[tuple[bytes, bool], list[Shown]] = defaultdict(list)
    for one in examples:
        if one.prints.shingles:
            groups[one.prints.exact, one.train].append(one)
    texts = [sorted(groups[key], key=lambda one: one.id) for key in sorted(groups)]
    if not texts:
        return set()
    cut = _Cut(
        train=np.array([text[0].train for text in texts]),
        weights=np.array([len(text) for text in texts]),
    )
    prints = [text[0].prints for text in texts]
    cut.settle(*_shared_windows(prints, cut.train))
    similar = Similar([text[0].id for text in texts], text_of, threshold)
    cut.settle(*_stars(*_near_pairs(Sketches.of(prints), cut, similar, threshold)))
    return {one.id for at in np.flatnonzero(~cut.alive) for one in texts[at]}


class _Cut:
    """Distinct texts of both sides, each with the number of examples that it stands for."""

    def __init__(self, train: Mask, weights: Places) -> None:
        self.train, self.weights = train, weights
        self.alive = np.ones(len(train), dtype=bool)

    def settle(self, members: Places, bounds: Places) -> None:
        """Empty one side of each thing; thing `i` is in `members[bounds[i] : bounds[i + 1]]`."""
        for thing in self._most_uneven_first(members, bounds):
            holders = members[bounds[thing] : bounds[thing + 1]]
            holders = holders[self.alive[holders]]
            on_train = self.train[holders]
            if on_train.all() or not on_train.any():
                continue
            weights = self.weights[holders]
            train_loses = weights[on_train].sum() <= weights[~on_train].sum()
            self.alive[holders[on_train == train_loses]] = False

    def _most_uneven_first(self, members: Places, bounds: Places) -> list[int]:
        """Things on both sides; of those with the same members only the first."""
        if len(bounds) < 2:
            return []
        begins = bounds[:-1]
        weights = np.where(self.alive, self.weights, 0)[members]
        train = np.add.reduceat(np.where(self.train[members], weights, 0), begins)
        other = np.add.reduceat(weights, begins) - train
        keys = np.add.reduceat(spread(members.astype(np.uint64) + np.uint64(1)), begins)
        first = np.unique(keys, return_index=True)[1]
        first = np.sort(first[(train[first] > 0) & (other[first] > 0)])
        train, other = train[first], other[first]
        uneven = np.maximum(train, other) / np.minimum(train, other)
        return first[np.argsort(-uneven, kind="stable")].tolist()


def _shared_windows(prints: Sequence[Prints], train: Mask) -> tuple[Places, Places]:
    """The texts that hold each fingerprint found on both sides."""
    values: Hashes = np.frombuffer(b"".join(one.windows for one in prints), dtype=np.uint64)
    owners = np.repeat(np.arange(len(prints)), [len(one.windows) // 8 for one in prints])
    sides = (np.unique(values[train[owners] == side]) for side in (True, False))
    shared = np.intersect1d(*sides, assume_unique=True)
    if not len(shared):
        return owners[:0], np.zeros(1, dtype=np.int64)
    at = np.minimum(np.searchsorted(shared, values), len(shared) - 1)
    hits = np.flatnonzero(shared[at] == values)
    hits = hits[np.argsort(at[hits], kind="stable")]
    return owners[hits], np.append(0, np.cumsum(np.bincount(at[hits])))


def _near_pairs(
    sketches: Sketches, cut: _Cut, similar: Similar, threshold: float
) -> tuple[Places, Places]:
    """The pairs across the sides, of texts that still stay, whose similarity is confirmed."""
    found = [np.zeros(0, dtype=np.uint64)]
    for rows, bounds in sketches.bands(threshold):
        left, right = _across(rows, bounds, cut)
        both = cut.alive[left] & cut.alive[right]
        left, right = left[both], right[both]
        likely = sketches.likely(left, right, threshold)
        found.append(packed(left[likely], right[likely]))
    left, right = unpacked(np.unique(np.concatenate(found)))
    both = np.flatnonzero(cut.alive[left] & cut.alive[right])
    good = both[similar.pairs(left[both], right[both])]
    return left[good], right[good]


def _across(rows: Places, bounds: Places, cut: _Cut) -> tuple[Places, Places]:
    """Each bucket's texts of train, with each of its others; crowded buckets are settled."""
    sizes = np.diff(bounds)
    buckets = np.repeat(np.arange(len(sizes)), sizes)
    train = cut.train[rows]
    others = np.bincount(buckets[~train], minlength=len(sizes))
    crowded = others * (sizes - others) > _CROWD
    inside = crowded[buckets]
    cut.settle(rows[inside], np.append(0, np.cumsum(sizes[crowded])))
    asked = train & ~inside
    counts = others[buckets[asked]]
    begins = (np.cumsum(others) - others)[buckets[asked]]
    return np.repeat(rows[asked], counts), rows[~train][runs(begins, counts)]


def _stars(left: Places, right: Places) -> tuple[Places, Places]:
    """For each text of a pair: it, and all those that it is paired with."""
    centers = np.unique(np.concatenate((left, right)))
    owners = np.concatenate((centers, left, right))
    members = np.concatenate((centers, right, left))
    order = np.lexsort((members, owners))
    counts = np.unique(owners, return_counts=True)[1]
    return members[order], np.append(0, np.cumsum(counts))

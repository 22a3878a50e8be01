"""Which of many texts may be alike, by their prints; and which of those are, by their words.

Candidates come from locality-sensitive hashing: texts whose signatures agree on a whole band. At
the similarity that a threshold from 0.45 asks for, a pair is missed once in a million or less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repo_tune_pipeline.sft.prints import (
    PERMUTATIONS,
    Hashes,
    Places,
    Prints,
    jaccard,
    shingles_of_many,
    spread,
)

TextOf = Callable[[Sequence[str]], Mapping[str, str]]
"""Gives the texts of the ids asked for: those that their prints were made of."""
Mask = npt.NDArray[np.bool_]

MARGIN = 0.2
"""An estimate from 128 permutations errs by 0.035 (one standard deviation at a Jaccard of 0.8)."""
_BLOCK = 1 << 15
_SLICE = 4_096
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Sketches:
    """The signatures of many texts (a row each) and the numbers of their shingles."""

    signatures: npt.NDArray[np.uint32]
    sizes: Places

    @classmethod
    def of(cls, prints: Sequence[Prints]) -> Sketches:
        joined = b"".join(one.minhash for one in prints)
        signatures = np.frombuffer(joined, dtype="<u4").reshape(len(prints), PERMUTATIONS)
        return cls(signatures, np.array([one.shingles for one in prints], dtype=np.int64))

    def bands(self, threshold: float) -> Iterator[tuple[Places, Places]]:
        """For each band the buckets of two or more rows that agree on it.

        Rows stand bucket by bucket, ascending in each; the bounds are one more than the buckets.
        """
        width = 4 if threshold >= 0.7 else 2 if threshold >= 0.45 else 1
        for begin in range(0, PERMUTATIONS, width):
            keys = np.zeros(len(self.sizes), dtype=np.uint64)
            for column in range(begin, begin + width):
                keys = spread(keys + self.signatures[:, column])
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
            sizes = np.diff(starts, append=len(keys))
            rows = order[np.repeat(sizes > 1, sizes)]
            yield rows, np.concatenate(([0], np.cumsum(sizes[sizes > 1])))

    def likely(self, left: Places, right: Places, threshold: float) -> Mask:
        """Which pairs may be so similar, by their sizes and by the signatures' estimate."""
        sizes = self.sizes[left], self.sizes[right]
        good = np.minimum(*sizes) >= threshold * np.maximum(*sizes) - 1e-9
        least = (threshold - MARGIN) * PERMUTATIONS
        rest = np.flatnonzero(good)
        for begin in range(0, len(rest), _BLOCK):
            block = rest[begin : begin + _BLOCK]
            same = self.signatures[left[block]] == self.signatures[right[block]]
            good[block] = np.count_nonzero(same, axis=1) >= least
        return good


class Similar:
    """True similarities between texts, which are fetched when needed."""

    def __init__(self, ids: Sequence[str], text_of: TextOf, threshold: float) -> None:
        self._ids, self._text_of, self._threshold = ids, text_of, threshold
        self._shingles: dict[int, Hashes] = {}

    def pairs(self, left: Places, right: Places) -> Mask:
        """Which pairs' similarity reaches the threshold."""
        good = np.zeros(len(left), dtype=bool)
        for begin in range(0, len(left), _SLICE):
            lefts, rights = (one[begin : begin + _SLICE].tolist() for one in (left, right))
            self._fetch(sorted({*lefts, *rights}))
            for at, (row, other) in enumerate(zip(lefts, rights, strict=True), start=begin):
                value = jaccard(self._shingles[row], self._shingles[other])
                good[at] = value >= self._threshold - 1e-9
        return good

    def _fetch(self, rows: Sequence[int]) -> None:
        if len(self._shingles) > _MOST_KEPT:
            self._shingles.clear()
        missing = [row for row in rows if row not in self._shingles]
        if not missing:
            return
        ids = [self._ids[row] for row in missing]
        texts = self._text_of(ids)
        self._shingles.update(
            zip(missing, shingles_of_many([texts[id] for id in ids]), strict=True)
        )


def packed(left: Places, right: Places) -> Hashes:
    """Each pair of rows as one number."""
    return left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64)


def unpacked(pairs: Hashes) -> tuple[Places, Places]:
    """The pairs of rows that such numbers stand for."""
    left, right = pairs >> np.uint64(32), pairs & np.uint64(2**32 - 1)
    return left.astype(np.int64), right.astype(np.int64)

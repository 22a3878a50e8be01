"""Copies of chunks, exact and near, in one repository or across several: which one stays.

Of two copies the better stays: documented before undocumented, then outside folders of tests,
examples or foreign code, then under a stated licence, then at the shorter path, then by
repository, path and line. The result depends on the chunks, not on their order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from repo_tune_pipeline.records import NO_ASSERTION
from repo_tune_pipeline.sft.prints import Hashes, Places, Prints, runs
from repo_tune_pipeline.sft.similar import Similar, Sketches, TextOf, packed, unpacked

_SMALL = 16
_MAX_LEADERS = 256
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testdata|fixtures|mocks?|examples?|samples?|demos?"
    r"|vendor|vendored|third[_-]?party|external|node_modules|dist|build)(?:/|$)",
    re.IGNORECASE,
)


class Unit(msgspec.Struct, frozen=True, gc=False):
    """One chunk without its text."""

    chunk_id: str
    repo: str
    path: str
    start_line: int
    documented: bool
    license: str
    prints: Prints

    @property
    def rank(self) -> tuple[bool, bool, bool, int, str, str, int, str]:
        """Ascending from the copy that should stay."""
        return (
            not self.documented,
            _is_aside(self.path),
            self.license in ("", NO_ASSERTION),
            len(self.path),
            self.repo,
            self.path,
            self.start_line,
            self.chunk_id,
        )


@lru_cache(maxsize=65_536)
def _is_aside(path: str) -> bool:
    return _ASIDE.search(path) is not None


def copies(
    units: Sequence[Unit], text_of: TextOf, threshold: float
) -> tuple[dict[str, str], dict[str, str]]:
    """The exact copies and the near ones, each → the chunk that stays for it.

    `text_of` gives the texts that the prints of `units` were made of, by chunk ids.
    """
    ranked = sorted(units, key=lambda unit: unit.rank)
    exact = _exact_copies(ranked)
    near = _near_copies([one for one in ranked if one.chunk_id not in exact], text_of, threshold)
    return {id: near.get(kept, kept) for id, kept in exact.items()}, near


def _exact_copies(ranked: Sequence[Unit]) -> dict[str, str]:
    """Chunks whose code has the same tokens as a better one's → that one."""
    best: dict[bytes, str] = {}
    dropped: dict[str, str] = {}
    for unit in ranked:
        kept = best.setdefault(unit.prints.exact, unit.chunk_id)
        if kept != unit.chunk_id:
            dropped[unit.chunk_id] = kept
    return dropped


def _near_copies(ranked: Sequence[Unit], text_of: TextOf, threshold: float) -> dict[str, str]:
    """Chunks whose shingles' Jaccard similarity with a better one's is at least `threshold`.

    Each goes for one that stays, and no two that stay are that similar, except that in a hostile
    crowd of look-alikes only the 256 best of a bucket are compared with all the others.
    """
    ids = [unit.chunk_id for unit in ranked]
    search = _Search(Sketches.of([unit.prints for unit in ranked]), threshold)
    similar = Similar(ids, text_of, threshold)
    copies_of = search.pairs(similar)
    alive = np.ones(len(ranked), dtype=bool)
    dropped: dict[str, str] = {}
    for row in sorted({*copies_of, *search.crowds}):
        if not alive[row]:
            continue
        others = search.in_crowds(row, alive)
        others = others[similar.pairs(np.full(len(others), row), others)]
        for other in (*copies_of.get(row, ()), *others.tolist()):
            if alive[other]:
                alive[other] = False
                dropped[ids[other]] = ids[row]
    return dropped


class _Search:
    """The buckets of all bands: pairs of the small ones, and the rows that lead the large ones."""

    def __init__(self, sketches: Sketches, threshold: float) -> None:
        self._sketches, self._threshold = sketches, threshold
        self.crowds: dict[int, list[Places]] = defaultdict(list)
        self._pairs: list[Hashes] = []
        for rows, bounds in sketches.bands(threshold):
            self._take(rows, bounds)

    def pairs(self, similar: Similar) -> dict[int, list[int]]:
        """Every row of a small bucket → the later ones that are its copies."""
        left, right = unpacked(np.unique(np.concatenate([np.zeros(0, np.uint64), *self._pairs])))
        good = similar.pairs(left, right)
        found: dict[int, list[int]] = defaultdict(list)
        for row, other in zip(left[good].tolist(), right[good].tolist(), strict=True):
            found[row].append(other)
        return found

    def in_crowds(self, row: int, alive: npt.NDArray[np.bool_]) -> Places:
        """The later rows of the large buckets that `row` leads, if they may be its copies."""
        crowds = self.crowds.get(row, ())
        if not crowds:
            return np.zeros(0, dtype=np.int64)
        others = np.unique(np.concatenate(crowds))
        others = others[(others > row) & alive[others]]
        rows = np.full(len(others), row)
        return others[self._sketches.likely(rows, others, self._threshold)]

    def _take(self, rows: Places, bounds: Places) -> None:
        sizes = np.diff(bounds)
        for bucket in np.flatnonzero(sizes > _SMALL):
            crowd = rows[bounds[bucket] : bounds[bucket + 1]]
            for leader in crowd[:_MAX_LEADERS].tolist():
                self.crowds[leader].append(crowd)
        small = np.repeat(sizes <= _SMALL, sizes)
        later = np.repeat(bounds[1:], sizes) - np.arange(len(rows)) - 1
        begins = np.arange(len(rows)) + 1
        left = np.repeat(rows[small], later[small])
        right = rows[runs(begins[small], later[small])]
        likely = self._sketches.likely(left, right, self._threshold)
        self._pairs.append(packed(left[likely], right[likely]))

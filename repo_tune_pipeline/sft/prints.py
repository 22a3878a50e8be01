"""What is kept of a text to compare it with all others: bytes, computed for many texts at once.

A token is a run of ASCII letters, digits, underscores and bytes above 0x7F, or any other visible
ASCII character by itself; white space and control characters only separate. So comparisons see
code, not its layout. A shingle is five tokens in a row; a text of fewer is one shingle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]  (it has no stubs)

PERMUTATIONS = 128
SHINGLE = 5
WINDOW = 50
"""A run of so many tokens, in two texts, is a leak."""
_GRAM = 43
_SPAN = WINDOW - _GRAM + 1
_SEED = 1
_BASE = 0x9E3779B97F4A7C15
_STEP = 0xD6E8FEB86659FD93
_UNSTEP = pow(_STEP, -1, 2**64)
_LONGEST = 256

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prints:
    """The prints of one text.

    `exact` (16 bytes) is equal for texts with the same tokens; `minhash` is a signature of 128
    numbers (uint32) over its set of `shingles` shingles. `windows` are fingerprints (uint64,
    ascending) chosen by winnowing: two texts that share a run of `WINDOW` tokens share one, and
    texts that share one share at least 43 tokens in a row.
    """

    exact: bytes
    minhash: bytes
    shingles: int
    windows: bytes


def prints_of(source: str, code: str) -> Prints:
    """The prints of a chunk by its code without docs or, where that is blank, by its source."""
    return prints_of_many([code if code.strip() else source])[0]


def prints_of_many(texts: Sequence[str]) -> list[Prints]:
    """The prints of each text; one call for many is several times faster than one for each."""
    tokens, bounds = _tokens(texts)
    rolling = _Rolling(tokens)
    shingles, shingle_bounds = _unique(*_shingles(rolling, bounds), len(texts))
    windows, window_bounds = _unique(*_minima(rolling, bounds), len(texts))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        shingles, shingle_bounds.astype(np.uint64), PERMUTATIONS, _SEED
    )
    signatures = np.array(matrix.to_rows(), dtype="<u4").reshape(len(texts), PERMUTATIONS)
    return [
        Prints(
            exact=xxhash.xxh3_128_digest(tokens[bounds[i] : bounds[i + 1]].tobytes()),
            minhash=signatures[i].tobytes(),
            shingles=int(shingle_bounds[i + 1] - shingle_bounds[i]),
            windows=windows[window_bounds[i] : window_bounds[i + 1]].tobytes(),
        )
        for i in range(len(texts))
    ]


def shingles_of_many(texts: Sequence[str]) -> list[Hashes]:
    """The ascending hashes of each text's shingles."""
    tokens, bounds = _tokens(texts)
    shingles, bounds = _unique(*_shingles(_Rolling(tokens), bounds), len(texts))
    return [shingles[bounds[i] : bounds[i + 1]] for i in range(len(texts))]


def jaccard(left: Hashes, right: Hashes) -> float:
    """How much of the union of two sets of shingles is common to both, from 0 to 1."""
    if not len(left) and not len(right):
        return 1.0
    common = len(np.intersect1d(left, right, assume_unique=True))
    return common / (len(left) + len(right) - common)


def _byte_kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[0x21:0x7F] = 2
    for byte in range(256):
        if byte >= 0x80 or chr(byte) == "_" or chr(byte).isalnum():
            kinds[byte] = 1
    return kinds


def _powers(base: int, count: int) -> Hashes:
    powers = np.full(count + 1, base, dtype=np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


_KINDS = _byte_kinds()
_BYTE_POWERS = _powers(_BASE, _LONGEST - 1)


def _tokens(texts: Sequence[str]) -> tuple[Hashes, Places]:
    """The hashes of all tokens in a row, and the bounds of each text's (one more than texts)."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b"\n".join([*parts, b""]), dtype=np.uint8)
    begins = np.cumsum([0, *(len(part) + 1 for part in parts)])
    kinds = _KINDS[data]
    starts = kinds == 2
    starts[1:] |= (kinds[1:] == 1) & (kinds[:-1] != 1)
    starts[:1] |= kinds[:1] == 1
    visible = np.flatnonzero(kinds)
    first = np.flatnonzero(starts[visible])
    if not len(first):
        return np.zeros(0, np.uint64), np.zeros(len(texts) + 1, np.int64)
    lengths = np.diff(first, append=len(visible))
    inside = (np.arange(len(visible)) - np.repeat(first, lengths)) % _LONGEST
    values = (data[visible].astype(np.uint64) + np.uint64(1)) * _BYTE_POWERS[inside]
    hashes = spread(np.add.reduceat(values, first) + lengths.astype(np.uint64))
    return hashes, np.searchsorted(visible[first], begins).astype(np.int64)


class _Rolling:
    """Hashes of any run of tokens in constant time."""

    def __init__(self, tokens: Hashes) -> None:
        count = len(tokens)
        self._back = _powers(_UNSTEP, count)
        self._sums = np.zeros(count + 1, dtype=np.uint64)
        np.cumsum(tokens * _powers(_STEP, count)[:count], out=self._sums[1:])

    def hashes(self, begins: Places, lengths: Places | int) -> Hashes:
        sums = self._sums[begins + lengths] - self._sums[begins]
        return spread(sums * self._back[begins] + np.asarray(lengths).astype(np.uint64))


def _shingles(rolling: _Rolling, bounds: Places) -> tuple[Hashes, Places]:
    lengths = np.diff(bounds)
    counts = np.where(lengths == 0, 0, np.maximum(lengths - SHINGLE + 1, 1))
    owners = np.repeat(np.arange(len(counts)), counts)
    begins = runs(bounds, counts)
    return rolling.hashes(begins, np.minimum(lengths, SHINGLE)[owners]), owners


def _minima(rolling: _Rolling, bounds: Places) -> tuple[Hashes, Places]:
    """The least of each `_SPAN` neighbouring grams (winnowing), for texts of `WINDOW` or more."""
    lengths = np.diff(bounds)
    lengths = np.where(lengths >= WINDOW, lengths, 0)
    grams = np.maximum(lengths - _GRAM + 1, 0)
    hashes = rolling.hashes(runs(bounds, grams), _GRAM)
    width = 1
    while width < _SPAN:
        hashes = np.minimum(hashes[: len(hashes) - width], hashes[width:])
        width *= 2
    begins = np.concatenate(([0], np.cumsum(grams)))
    counts = np.maximum(grams - _SPAN + 1, 0)
    return hashes[runs(begins, counts)], np.repeat(np.arange(len(counts)), counts)


def runs(begins: Places, counts: Places) -> Places:
    """Each `begins[i]`, `begins[i] + 1`, …, `counts[i]` of them, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    shift = np.repeat(begins[: len(counts)] - (ends - counts), counts)
    return (np.arange(total) + shift).astype(np.int64)


def _unique(values: Hashes, owners: Places, count: int) -> tuple[Hashes, Places]:
    """Each owner's distinct values, ascending, and where each owner's begin."""
    order = np.lexsort((values, owners))
    values, owners = values[order], owners[order]
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    bounds = np.searchsorted(owners[fresh], np.arange(count + 1)).astype(np.int64)
    return values[fresh], bounds


def spread(values: Any) -> Hashes:
    """Spread every bit of each number over all its bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))

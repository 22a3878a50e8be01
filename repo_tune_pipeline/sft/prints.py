"""What is kept of a text to compare it with all others: bytes, computed for many texts at once.

A token is a run of ASCII letters, digits, underscores and bytes above 0x7F, or any other visible
ASCII character by itself; white space and control characters only separate. So comparisons see
code, not its layout. A shingle is five tokens in a row; a text of fewer is one shingle.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import xxhash
from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue]  (it has no stubs)

PRINTS_VERSION = "1"
"""Raised whenever the same text would have other prints."""
PERMUTATIONS = 128
SHINGLE = 5
WINDOW = 50
"""A run of so many tokens, in two texts, is a leak."""
_GRAM = 43
_SPAN = WINDOW - _GRAM + 1
_SEED = 1
_PART_TEXTS = 2**14 - 2
_PART_CHARS = 100_000
_OWNER_BITS = 14
_SIGNATURE = struct.Struct(f"<{PERMUTATIONS}I")

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


class Prints(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The prints of one text.

    `exact` (16 bytes) is equal for texts with the same tokens; `minhash` is a signature of 128
    numbers (uint32) over its set of `shingles` shingles. `windows` are fingerprints (uint64)
    chosen by winnowing: two texts that share a run of `WINDOW` tokens share one, and
    texts that share one share at least 43 tokens in a row.
    """

    exact: bytes
    minhash: bytes
    shingles: int
    windows: bytes


def prints_of_many(texts: Sequence[str]) -> list[Prints]:
    """The prints of each text; one call for a hundred is several times faster than one for each."""
    found: list[Prints] = []
    for part in _parts(texts):
        found += _prints(part)
    return found


def _prints(texts: Sequence[str]) -> list[Prints]:
    tokens, bounds = _tokens(texts)
    rolling = _Rolling(tokens, _TOKENS)
    shingles, shingle_bounds = _sets(*_shingles(rolling, bounds), len(texts))
    windows, window_bounds = _changes(*_minima(rolling, bounds), len(texts))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        shingles, shingle_bounds.astype(np.uint64), PERMUTATIONS, _SEED
    )
    signatures = [_SIGNATURE.pack(*row) for row in matrix.to_rows()]
    token_bytes, window_bytes = tokens.tobytes(), windows.tobytes()
    ends, last = (8 * bounds).tolist(), (8 * window_bounds).tolist()
    counts = np.diff(shingle_bounds).tolist()
    return [
        Prints(
            exact=xxhash.xxh3_128_digest(token_bytes[ends[i] : ends[i + 1]]),
            minhash=signatures[i],
            shingles=counts[i],
            windows=window_bytes[last[i] : last[i + 1]],
        )
        for i in range(len(texts))
    ]


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts whose arrays fit into a core's cache."""
    first = size = 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= _PART_CHARS or at - first == _PART_TEXTS:
            yield texts[first : at + 1]
            first, size = at + 1, 0
    if first < len(texts):
        yield texts[first:]


def shingles_of_many(texts: Sequence[str]) -> list[Hashes]:
    """The ascending hashes of each text's shingles."""
    found: list[Hashes] = []
    for part in _parts(texts):
        tokens, bounds = _tokens(part)
        shingles, ends = _sets(*_shingles(_Rolling(tokens, _TOKENS), bounds), len(part))
        found += [shingles[ends[i] : ends[i + 1]] for i in range(len(part))]
    return found


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


class _Powers:
    """The powers of an odd number modulo 2^64 and those of its inverse, as many as were needed."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._there = self._back = np.ones(1, dtype=np.uint64)

    def upto(self, count: int) -> tuple[Hashes, Hashes]:
        """The first `count` powers of each."""
        if len(self._there) < count:
            longer = max(count, 2 * len(self._there))
            self._there = self._of(self._base, longer)
            self._back = self._of(pow(self._base, -1, 2**64), longer)
        return self._there[:count], self._back[:count]

    @staticmethod
    def _of(base: int, count: int) -> Hashes:
        powers = np.full(count, base, dtype=np.uint64)
        powers[0] = 1
        return np.multiply.accumulate(powers)


_KINDS = _byte_kinds()
_BYTES = _Powers(0x9E3779B97F4A7C15)
_TOKENS = _Powers(0xD6E8FEB86659FD93)


def _tokens(texts: Sequence[str]) -> tuple[Hashes, Places]:
    """The hashes of all tokens in a row, and the bounds of each text's (one more than texts)."""
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b"\n".join([*parts, b""]), dtype=np.uint8)
    kinds = _KINDS[data]
    is_word, is_mark = kinds == 1, kinds == 2
    starts, ends = is_word.copy(), is_word.copy()
    starts[1:] &= ~is_word[:-1]
    ends[:-1] &= ~is_word[1:]
    first, last = np.flatnonzero(starts | is_mark), np.flatnonzero(ends | is_mark)
    hashes = _Rolling(data.astype(np.uint64) + np.uint64(1), _BYTES).hashes(first, last + 1 - first)
    begins = np.cumsum([0, *(len(part) + 1 for part in parts)])
    return hashes, np.searchsorted(first, begins).astype(np.int64)


class _Rolling:
    """Hashes of any run of values in constant time."""

    def __init__(self, values: Hashes, powers: _Powers) -> None:
        there, self._back = powers.upto(len(values) + 1)
        self._sums = np.zeros(len(values) + 1, dtype=np.uint64)
        np.cumsum(values * there[:-1], out=self._sums[1:])

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


def _sets(values: Hashes, owners: Places, count: int) -> tuple[Hashes, Places]:
    """Each owner's distinct values (their first 50 bits), ascending, and where each's begin."""
    keys = (owners.astype(np.uint64) << np.uint64(64 - _OWNER_BITS)) | (
        values >> np.uint64(_OWNER_BITS)
    )
    keys.sort()
    if len(keys):
        keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))]
    begins = np.arange(count + 1, dtype=np.uint64) << np.uint64(64 - _OWNER_BITS)
    bounds = np.searchsorted(keys, begins)
    bounds[count] = len(keys)
    return keys & np.uint64(2 ** (64 - _OWNER_BITS) - 1), bounds.astype(np.int64)


def _changes(values: Hashes, owners: Places, count: int) -> tuple[Hashes, Places]:
    """Each owner's values without those that repeat the one before, and where each's begin."""
    fresh = np.ones(len(values), dtype=bool)
    fresh[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    bounds = np.searchsorted(owners[fresh], np.arange(count + 1)).astype(np.int64)
    return values[fresh], bounds


def spread(values: Any) -> Hashes:
    """Spread every bit of each number over all its bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))

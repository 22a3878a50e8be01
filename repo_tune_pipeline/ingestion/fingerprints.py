"""Recognises the texts of licences: by their word trigrams, and by the words that decide.

The fingerprints in `data/licenses.json` are hashes of a licence's trigrams, and one hash of all its
operative words (those that grant, demand or refuse something); none of its text is kept. A text
whose operative words differ is another licence, however similar the rest.
"""

from __future__ import annotations

import base64
import json
import re
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import accumulate
from zlib import crc32

from repo_tune_pipeline.ingestion.wording import operative, restricts, words_of
from repo_tune_pipeline.records import NO_ASSERTION

_STEM = 5
_CHOICE = re.compile(r"\b(?:either|dual\w*|option|choose|choice)\b")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is known of one licence (an SPDX identifier), of a part of it, or of an exception.

    `operative` is how many operative words it has, and one hash of them all.
    """

    license: str
    grams: frozenset[int]
    operative: tuple[int, int]

    @property
    def is_exception(self) -> bool:
        return self.license.endswith("-exception")


def recognise(text: str, min_similarity: float) -> str:
    """The licences that make up `text`, as an SPDX expression, or NOASSERTION.

    A licence counts as part of the text if that share of its trigrams occurs there and all its
    operative words do, with none between them that it lacks. All parts together must be as
    similar to the whole (Sørensen-Dice): what is added to a licence lowers it as much as what is
    left out. Words between the parts that may restrict a use forbid any answer; if they speak of
    a choice, the parts are joined by OR.

    Returns:
        An expression, the name of an exception if the text is nothing else, or NOASSERTION.
    """
    words = words_of(text)
    grams = list(_grams(words))
    parts, left = _parts(set(grams), operative(words), min_similarity)
    known = frozenset[int]().union(*(part.grams for part in parts))
    if not parts or _dice(set(grams), known) < min_similarity:
        return NO_ASSERTION
    rest = " ".join(_uncovered(words, grams, known))
    return NO_ASSERTION if restricts(rest) or restricts(left) else _expression(parts, rest)


def fingerprint(license_id: str, text: str) -> Fingerprint:
    """What to know of a licence by its text."""
    words = words_of(text)
    decisive = operative(words)
    total = _sums(decisive)[1][-1]
    return Fingerprint(license_id, frozenset(_grams(words)), (len(decisive), total))


def _grams(words: Sequence[str]) -> Iterator[int]:
    """The hashed trigrams, 24 bits each."""
    for trigram in zip(words, words[1:], words[2:], strict=False):
        yield crc32(" ".join(trigram).encode()) & 0xFFFFFF


@cache
def _hash(word: str) -> int:
    """The same for the inflections of a word: real copies take liberties with these."""
    return int.from_bytes(blake2b(word[:_STEM].encode(), digest_size=8).digest())


def _sums(words: Sequence[str]) -> tuple[list[int], list[int]]:
    """Sums over the words before each place: of their hashes, and of these times their number."""
    hashes = list(map(_hash, words))
    numbered = (number * one for number, one in enumerate(hashes, 1))
    return list(accumulate(hashes, initial=0)), list(accumulate(numbered, initial=0))


def _parts(
    grams: set[int], words: list[str], min_similarity: float
) -> tuple[list[Fingerprint], str]:
    """The licences whose texts occur, the largest first, and the operative words outside them."""
    sums, numbered = _sums(words)
    outside = list(words)
    parts: list[Fingerprint] = []
    for part in _fingerprints():
        if len(grams & part.grams) < min_similarity * len(part.grams):
            continue
        length, target = part.operative
        for start in range(len(words) - length + 1):
            span = slice(start, start + length)
            found = numbered[span.stop] - numbered[start] - start * (sums[span.stop] - sums[start])
            if found == target and "" not in outside[span]:
                outside[span] = [""] * length
                parts.append(part)
    return parts, " ".join(outside)


def _dice(one: set[int], other: Collection[int]) -> float:
    return 2 * len(one.intersection(other)) / max(1, len(one) + len(other))


def _uncovered(words: list[str], grams: list[int], known: frozenset[int]) -> Iterator[str]:
    """The words that stand in no known trigram."""
    seen = [gram in known for gram in grams]
    for position, word in enumerate(words):
        if not any(seen[max(0, position - 2) : position + 1]):
            yield word


def _expression(parts: Sequence[Fingerprint], rest: str) -> str:
    licenses = sorted({part.license for part in parts if not part.is_exception})
    exceptions = sorted({part.license for part in parts if part.is_exception})
    if not licenses:
        return exceptions[0]
    if len(licenses) == 1 and exceptions:
        return f"{licenses[0]} WITH {exceptions[0]}"
    return (" OR " if _CHOICE.search(rest) else " AND ").join(licenses)


@cache
def _fingerprints() -> tuple[Fingerprint, ...]:
    source = files("repo_tune_pipeline.ingestion").joinpath("data/licenses.json")
    rows = json.loads(source.read_text(encoding="utf-8"))["fingerprints"]
    found = (
        Fingerprint(license_id, unpacked(grams), (count, total))
        for license_id, grams, count, total in rows
    )
    return tuple(sorted(found, key=lambda part: part.operative, reverse=True))


def packed(grams: Collection[int]) -> str:
    """Trigrams as text: sorted, their differences as bytes of 7 bits, in base 85."""
    out = array("B")
    last = 0
    for gram in sorted(grams):
        step, last = gram - last, gram
        while step > 127:
            out.append(step & 127 | 128)
            step >>= 7
        out.append(step)
    return base64.b85encode(out.tobytes()).decode("ascii")


def unpacked(text: str) -> frozenset[int]:
    """The inverse of `packed`."""
    grams: list[int] = []
    last = step = shift = 0
    for byte in base64.b85decode(text):
        step |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            last += step
            grams.append(last)
            step = shift = 0
    return frozenset(grams)

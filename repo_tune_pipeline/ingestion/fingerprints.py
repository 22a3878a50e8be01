"""Recognises the texts of licences by their word trigrams.

What is compared is what SPDX's matching guidelines leave of a text: words without case,
punctuation, white space, bullets, titles and copyright lines, in one spelling. The fingerprints
in `data/licenses.json` are hashes of such trigrams; none of a licence's text is kept.
"""

from __future__ import annotations

import base64
import json
import re
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from zlib import crc32

from repo_tune_pipeline.records import NO_ASSERTION

_WORD = re.compile(r"[a-z0-9]+(?:['’-][a-z0-9]+)*")
_JOINERS = str.maketrans("", "", "'’-")
_SPELLINGS = {
    "https": "http",
    "licence": "license",
    "licences": "licenses",
    "licenced": "licensed",
    "owner": "holder",
    "owners": "holders",
    "organisation": "organization",
    "acknowledgement": "acknowledgment",
    "judgement": "judgment",
}
_COPYRIGHT = re.compile(
    r"\W*(?:portions )?(?:copyright\W+(?:\(c\)|©|&copy;|year\b|yyyy\b|\d{4}|by )|\(c\)\W|©)"
    r"|\W*all rights reserved\W*$"
)
_TITLE = re.compile(r"[\w\s.,:;/()\"'#*=-]*\blicen[cs]e\b[\w\s.,:;/()\"'#*=-]*$")
_TITLE_LINES = 3
_TITLE_WORDS = 8
_RESTRICTS = re.compile(
    r"\b(?:not|no|non\w*|only|except|unless|must|shall|cannot|prohibit\w*|forbid\w*|restrict\w*"
    r"|commercial\w*|proprietary|confidential|evil|military|fees?|paid|purchase\w*|evaluation"
    r"|internal|personal|academic|educational|research (?:uses?|purposes?)|gnu|[al]?gpl\w*)\b"
)
_CHOICE = re.compile(r"\b(?:either|dual\w*|option|choose|choice)\b")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The trigrams of one licence (an SPDX identifier), of a part of it, or of an exception."""

    license: str
    grams: frozenset[int]

    @property
    def is_exception(self) -> bool:
        return self.license.endswith("-exception")


def recognise(text: str, min_similarity: float) -> str:
    """The licences that make up `text`, as an SPDX expression, or NOASSERTION.

    A licence counts as part of the text if that share of its trigrams occurs there, and all parts
    together must be as similar to the whole (Sørensen-Dice): what is added to a licence lowers
    it as much as what is left out. Words between the parts that may restrict a use forbid any
    answer; if they speak of a choice, the parts are joined by OR.

    Returns:
        An expression, the name of an exception if the text is nothing else, or NOASSERTION.
    """
    words = words_of(text)
    grams = list(_grams(words))
    parts = _parts(set(grams), min_similarity)
    known = frozenset[int]().union(*(part.grams for part in parts))
    if not parts or _dice(set(grams), known) < min_similarity:
        return NO_ASSERTION
    rest = " ".join(_uncovered(words, grams, known))
    return NO_ASSERTION if restricts(rest) else _expression(parts, rest)


def restricts(text: str) -> bool:
    """Whether a lower-case text outside of all known licences has words that may restrict a use."""
    return _RESTRICTS.search(text) is not None


def words_of(text: str) -> list[str]:
    """The words of a licence text that count when it is compared with another."""
    lines = [line for line in text.lower().split("\n") if line.strip()]
    kept = (line for number, line in enumerate(lines) if not _says_nothing(line, number))
    found: list[str] = _WORD.findall("\n".join(kept))
    words = (word.translate(_JOINERS) for word in found)
    return [_SPELLINGS.get(word, word) for word in words if len(word) > 1 and not word.isdigit()]


def grams_of(text: str) -> set[int]:
    """The hashed trigrams of a licence text, 24 bits each."""
    return set(_grams(words_of(text)))


def _says_nothing(line: str, number: int) -> bool:
    """Whether a line is a copyright line or a title, and nothing else."""
    title = number < _TITLE_LINES and len(line.split()) <= _TITLE_WORDS and bool(_TITLE.match(line))
    return (title or _COPYRIGHT.match(line) is not None) and not restricts(line)


def _grams(words: Sequence[str]) -> Iterator[int]:
    for trigram in zip(words, words[1:], words[2:], strict=False):
        yield crc32(" ".join(trigram).encode()) & 0xFFFFFF


def _parts(grams: set[int], min_similarity: float) -> list[Fingerprint]:
    """The licences whose texts occur, the largest first, each mostly outside of those before."""
    found = [
        part
        for part in _fingerprints()
        if len(grams & part.grams) >= min_similarity * len(part.grams)
    ]
    parts: list[Fingerprint] = []
    left = set(grams)
    while found:
        best = max(found, key=lambda part: 2 * len(left & part.grams) - len(part.grams))
        if 2 * len(left & best.grams) <= len(best.grams):
            break
        parts.append(best)
        left -= best.grams
    return parts


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
    return tuple(Fingerprint(license_id, unpacked(packed)) for license_id, packed in rows)


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

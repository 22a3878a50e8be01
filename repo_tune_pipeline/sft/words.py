"""Identifiers and prose as sets of plain words."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words_of(text: str) -> frozenset[str]:
    """Lower-case words of `text`, identifiers split at case and underscores, plurals singular."""
    return frozenset(word for token in set(_TOKEN.findall(text)) for word in _parts(token))


def singular(word: str) -> str:
    """ "refunds" -> "refund", "queries" -> "query"; "address" and "bus" stay."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=65_536)
def _parts(token: str) -> tuple[str, ...]:
    return tuple(singular(part.lower()) for part in _PART.findall(token))

"""Grounding: do the names in an answer exist in the repository that it speaks of?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_PATH = re.compile(r"(?:[\w.@+-]+/)+[\w.@+-]+\.\w+")
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every word and every path of one repository at one commit."""

    words: frozenset[str]
    paths: frozenset[str]

    @classmethod
    def of(cls, files: Iterable[tuple[str, str]]) -> Vocabulary:
        """From pairs of path and text."""
        words: set[str] = set()
        paths: set[str] = set()
        for path, text in files:
            paths.add(path)
            words.update(_WORD.findall(text))
            words.update(_WORD.findall(path))
        return cls(frozenset(words), frozenset(paths))


def grounded_names(text: str, vocabulary: Vocabulary) -> tuple[int, int]:
    """How many distinct repository-like names of `text` exist, and how many there are.

    Like a repository's are words with a case change or an underscore inside, of four characters
    or more, and paths; plain words prove nothing either way.
    """
    paths = set(_PATH.findall(text))
    words = {word for word in _WORD.findall(_PATH.sub(" ", text)) if _is_telling(word)}
    there = len(paths & vocabulary.paths) + len(words & vocabulary.words)
    return there, len(paths) + len(words)


def _is_telling(word: str) -> bool:
    bare = word.strip("_$")
    if len(bare) < _SHORTEST:
        return False
    humps = any(left.islower() and right.isupper() for left, right in pairwise(bare))
    return humps or "_" in bare

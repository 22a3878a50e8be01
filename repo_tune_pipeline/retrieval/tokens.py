"""The words of code and of questions about it: the same in every naming style.

An identifier gives its parts, split at underscores and at changes of case, and beside them the
parts joined: `parseHttpRequest` and `parse_http_request` both give `pars`, `http`, `request` and
`parsehttprequest`. Single words are cut to their stem (Snowball, English).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import cast

import Stemmer

from repo_tune_pipeline.records import CodeChunk

SYMBOL_WEIGHT = 2
"""How many times a symbol's tokens count beside those of the text."""
MAX_TOKEN_CHARS = 64
"""Longer ones are data (hashes, encoded bytes), which nobody asks for by name."""
MAX_QUESTION_TOKENS = 128
"""What a question is cut to, so that a pasted file costs no more than a long question."""

_IDENTIFIER = re.compile(r"\w+")
_PART = re.compile(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Where letters aren't ASCII, case is left alone: most such scripts have none.
_PLAIN_PART = re.compile(r"\d+|[^\W\d_]+")
_STOP_WORDS = frozenset(
    """
    a about an and any are as at be been being but by can could did do does doing for from had has
    have how i if in into is it its me my of on or our shall should so some such than that the
    their them then there these they this those to was we were what when where which while who
    whom whose why will with would you your
    """.split()  # noqa: SIM905 (as a list, it would be eighty lines)
)


def chunk_tokens(chunk: CodeChunk) -> str:
    """All tokens of a chunk, with blanks between: its symbol twice, its path, its text."""
    texts = (*[chunk.symbol] * SYMBOL_WEIGHT, chunk.path, chunk.source)
    return " ".join(_tokens(" ".join(texts)))


def question_tokens(question: str) -> str:
    """The tokens of a question, each once, less English stop words; may be empty."""
    distinct = dict.fromkeys(_tokens(question, _STOP_WORDS))
    return " ".join(list(distinct)[:MAX_QUESTION_TOKENS])


def _tokens(text: str, left_out: Collection[str] = ()) -> Iterator[str]:
    for identifier in _IDENTIFIER.findall(text):
        if not left_out or identifier.lower() not in left_out:
            yield from _identifier_tokens(identifier)


@lru_cache(maxsize=1 << 16)
def _identifier_tokens(identifier: str) -> tuple[str, ...]:
    pattern = _PART if identifier.isascii() else _PLAIN_PART
    parts = [part.lower() for part in pattern.findall(identifier)]
    # A stemmer of its own: one object must not be used by two threads at once.
    found = cast(list[str], Stemmer.Stemmer("english", 0).stemWords(parts))
    if len(parts) > 1:
        found.append("".join(parts))
    return tuple(token for token in found if len(token) <= MAX_TOKEN_CHARS)

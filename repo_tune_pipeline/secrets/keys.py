"""Private keys in armour (PEM, PGP, OpenSSH), whole or cut, in files or in string literals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.secrets.scan import Place

_BEGIN = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_MAX_BLOCK = 20_000  # Characters; an 8,192-bit key has 6,400.
_ARMOUR = r"[A-Za-z0-9+/=\s\\\"',:;()*#.|_-]"
_PLAIN = re.compile(_ARMOUR + "*")
_START = r"(?:(?<=\\n)|(?<=\\r)|(?<![\w\\]))(?!REDACTED_PRIVATE_KEY\b)"
_CLOSED_KEY = re.compile(_START + r"[A-Za-z0-9+/=]{4,}(?!:)")
_OPEN_KEY = re.compile(_START + r"[A-Za-z0-9+/=]{16,}")
_RANDOM_LINE = re.compile(
    _START + r"(?=[A-Za-z0-9+/=]{0,200}[0-9])(?=[A-Za-z0-9+/=]{0,200}[A-Z])[A-Za-z0-9+/=]{16,}"
)


def private_key_places(text: str) -> Iterator[Place]:
    """Where the lines of a private key stand, whatever else is put between them."""
    begin = _BEGIN.search(text)
    while begin:
        start = begin.end()
        end = text.find(f"-----END {begin['label']}-----", start, start + _MAX_BLOCK)
        following = _BEGIN.search(text, max(start, end))
        if end >= 0:
            yield from _closed(text, start, end)
        else:
            limit = following.start() if following else len(text)
            plain = _PLAIN.match(text, start, min(limit, start + _MAX_BLOCK))
            yield from _words(_OPEN_KEY, text, start, plain.end() if plain else start)
        begin = following


def _closed(text: str, start: int, end: int) -> Iterator[Place]:
    plain = _PLAIN.match(text, start, end)
    stop = plain.end() if plain else start
    yield from _words(_CLOSED_KEY if stop == end else _OPEN_KEY, text, start, stop)
    yield from _words(_RANDOM_LINE, text, stop, end)


def _words(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[Place]:
    return (found.span() for found in pattern.finditer(text, start, end))

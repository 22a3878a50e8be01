"""Values that only their name gives away: `password = "..."`, `api_key: ...`."""

from __future__ import annotations

import math
import re
from collections import Counter

MIN_ENTROPY_BITS = 3.3
"""Bits a character (Shannon); random hexadecimal of 32 digits has about 3.6, English under 3.3."""
MARKS = ("passw", "passphrase", "secret", "token", "key")
_NAMES = r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
_SIGN = r"(?:\s{0,4}:\s{0,4}&?[\w<>' ]{1,40}=|\s{0,4}(?::=|=>|=|:))\s{0,4}"
QUOTED = re.compile(
    rf"{_NAMES}[\w-]{{0,40}}\\?[\"']?{_SIGN}[rbf]?\\?[\"'`](?P<v>[^\"'`\s\\]{{8,400}}+)\\?[\"'`]",
    re.IGNORECASE,
)
BARE = re.compile(
    rf"{_NAMES}[\w-]{{0,40}}[ ]?[=:][ ]?(?P<v>[A-Za-z0-9+/_=.-]{{8,400}}+)(?=\s|\\n|$)",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"passw(?:or)?d|passphrase", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{32,}")
_TEMPLATE = re.compile(
    r"[${}<>%*]|\.\.\.|x{4,}|example|placeholder|your[_-]|redacted|passw|secret|token",
    re.IGNORECASE,
)


def is_secret(name: str, value: str, *, quoted: bool) -> bool:
    """Whether `value`, assigned to `name`, is a secret rather than a name, a path or a template.

    A password need not look random: letters and digits of eight characters are enough. Anything
    else must have 16 characters (20 without quotes) and be random by its entropy.
    """
    if _TEMPLATE.search(value):
        return False
    if not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    if _PASSWORD.search(name):
        return not re.search(r"[/:.()\[\]]" if quoted else r"[/:._=-]", value)
    mixed = re.search(r"[a-z]", value) and re.search(r"[A-Z]", value)
    if not quoted and not mixed and not _HEX.fullmatch(value):
        return False
    return len(value) >= (16 if quoted else 20) and entropy(value) >= MIN_ENTROPY_BITS


def entropy(value: str) -> float:
    """Shannon entropy of `value`'s characters, in bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)

"""Credentials in text, by forms that are hardly ever anything else.

Nothing here returns, logs or raises with the text that matched.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_KNOWN = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}"
    r"|\bgithub_pat_[A-Za-z0-9_]{50,}"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,}"
    r"|\b[prs]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|\bwhsec_[A-Za-z0-9+/=]{24,}"
    r"|\bAIza[0-9A-Za-z_-]{35}"
    r"|\bGOCSPX-[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
_URL = re.compile(r"://[^\s/:@'\"`<>{}$]*:[^\s/@'\"`<>{}$*]{3,}@[\w.\[-]")
_NAMES = r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)"
_ASSIGNED = re.compile(
    rf"{_NAMES}[\w-]*[\"']?\s*(?::\s*&?[\w<>' ]+=|:=|=>|=|:)\s*[rbf]?[\"'`]([^\"'`\s]{{16,}})[\"'`]"
    rf"|{_NAMES}[\w-]*\s*[=:]\s*([A-Za-z0-9+/_=.-]{{20,}})(?=\s|$)",
    re.IGNORECASE,
)
# Plain substring search is many times faster than these patterns, and rules most chunks out.
_KNOWN_MARKS = (
    *("PRIVATE KEY", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "xox", "hooks.slack.com", "k_live_", "k_test_", "whsec_", "AIza", "GOCSPX-", "eyJ"),
)
_NAME_MARKS = ("passw", "passphrase", "secret", "token", "key")
_TEMPLATE = re.compile(r"[${}<>%*]|\.\.\.|x{4,}|example|placeholder|your[_-]", re.IGNORECASE)
MIN_ENTROPY_BITS = 3.3
"""Bits a character (Shannon); random hexadecimal of 32 digits has about 3.6, English under 3.3."""


def holds_secret(text: str) -> bool:
    """Whether `text` holds a private key, a provider's token, a URL with a password, or a long
    random value assigned to a name such as `password` or `api_key`."""
    if any(mark in text for mark in _KNOWN_MARKS) and _KNOWN.search(text):
        return True
    if "://" in text and "@" in text and _URL.search(text):
        return True
    lowered = text.lower()
    if not any(mark in lowered for mark in _NAME_MARKS):
        return False
    return any(_is_random(found[1] or "", found[2] or "") for found in _ASSIGNED.finditer(text))


def _is_random(quoted: str, bare: str) -> bool:
    value = quoted or bare
    if _TEMPLATE.search(value) or not re.search(r"\d", value) or not re.search(r"[A-Za-z]", value):
        return False
    # Without quotes a value may be a name: only what mixes cases and digits is taken for random.
    if bare and not (re.search(r"[a-z]", bare) and re.search(r"[A-Z]", bare)):
        return False
    return _entropy(value) >= MIN_ENTROPY_BITS


def _entropy(value: str) -> float:
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)

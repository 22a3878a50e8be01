"""Random values whose name says little: a key of any sort, an auth, a signature."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.secrets.assigned import (
    END,
    HEX,
    MAX_VALUE,
    MIN_ENTROPY_BITS,
    NAMED,
    SIGN,
    entropy,
    name_at,
)
from repo_tune_pipeline.secrets.scan import Place, Scan

HIGH_ENTROPY_BITS = 4.4
"""Bits a character (Shannon); 32 random characters of base64 have 4.6 in the mean."""
MIN_BASE64, MIN_HEX = 32, 40  # Characters.
_SIGN = SIGN.replace(r"\s", r"[ \t]")
_RANDOM = re.compile(
    r"(?:key|secret|token|credential|auth|signature|passw|pwd)[\w-]{0,40}"
    rf"{END}{_SIGN}[rbfu]?\\?[\"'`]"
    rf"(?P<v>[A-Za-z0-9+/_-]{{{MIN_BASE64},{MAX_VALUE}}}+={{0,2}})\\?[\"'`]",
    re.IGNORECASE | re.ASCII,
)
_QUOTES = (b'"', b"'", b"`")
_HASHED = re.compile(
    r"sha-?\d|hash|digest|checksum|commit|revision|integrity|etag|fingerprint|public|md5|crc",
    re.IGNORECASE,
)
_LOCK = re.compile(r"(?:\.lock|lock\.json|lock\.ya?ml|\.sum)\Z")


def unnamed_places(scan: Scan, path: str = "", *, prefilter: bool = True) -> Iterator[Place]:
    """Where such a value stands; hexadecimal is a hash if its name or a lock file says so."""
    lines = [(0, len(scan.text))]
    if prefilter:
        long = (run for run in scan.runs if run[1] - run[0] >= MIN_BASE64)
        lines = scan.lines_of(run for run in long if scan.raw[run[0] - 1 : run[0]] in _QUOTES)
    for start, end in lines:
        for found in _RANDOM.finditer(scan.text, start, end):
            name = name_at(scan.text, found.start(), found.start("v"))
            hashed = _LOCK.search(path) or _HASHED.search(name)
            if _is_random(found["v"].rstrip("="), hashed=hashed is not None):
                yield found.span("v")


def _is_random(value: str, *, hashed: bool) -> bool:
    """Whether `value` is so even that nobody wrote it."""
    if HEX.fullmatch(value):
        return not hashed and len(value) >= MIN_HEX and entropy(value) >= MIN_ENTROPY_BITS
    mixed = all(re.search(chars, value) for chars in (r"\d", r"[a-z]", r"[A-Z]"))
    return mixed and not NAMED.fullmatch(value) and entropy(value) >= HIGH_ENTROPY_BITS

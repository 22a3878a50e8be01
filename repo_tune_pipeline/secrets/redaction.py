"""Replaces each secret and each piece of personal data by a placeholder that names its kind.

Marks that ask a scanner to look away (`pragma: allowlist secret`, `gitleaks:allow`) count for
nothing, nor do words put beside a secret.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from repo_tune_pipeline.secrets.assigned import assigned_places
from repo_tune_pipeline.secrets.keys import private_key_places
from repo_tune_pipeline.secrets.known import known_places
from repo_tune_pipeline.secrets.netrc import netrc_places
from repo_tune_pipeline.secrets.personal import (
    card_places,
    iban_places,
    mail_places,
    phone_places,
)
from repo_tune_pipeline.secrets.placeholders import placeholder
from repo_tune_pipeline.secrets.rules import rule_places
from repo_tune_pipeline.secrets.scan import Place, Scan
from repo_tune_pipeline.secrets.unnamed import unnamed_places

_MIN_BASE64 = 40
_AT_A_TIME = 500
_MAX_ROUNDS = 8  # One finds nearly all; what a placeholder lays open takes another.
_PERSONAL = {
    "card": card_places,
    "email": mail_places,
    "iban": iban_places,
    "phone": phone_places,
}


@dataclass(frozen=True)
class Redacted:
    """A text of as many lines as before, and the sorted kinds of what was replaced in it."""

    text: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Finding:
    """What is to be replaced: characters from `start` to before `end`."""

    start: int
    end: int
    kind: str


def redact(text: str, path: str = "") -> Redacted:
    """`text` with each secret and each piece of personal data replaced in place.

    `path` is where the text comes from: in a configuration file every password counts, however
    plain; in a lock file hexadecimal is taken for hashes, and in translations words for words.
    """
    kinds: set[str] = set()
    for _ in range(_MAX_ROUNDS):
        found = find(text, path)
        if not found:
            break
        kinds.update(finding.kind for finding in found)
        text = _replaced(text, found)
    return Redacted(text, tuple(sorted(kinds)))


def holds_secret(text: str) -> bool:
    """Whether `text` holds a secret; personal data is none."""
    return next(_secrets(Scan(text), "", prefilter=True), None) is not None


def holding_secrets(texts: Iterable[str]) -> set[str]:
    """Those of many short texts that hold a secret; many at a time cost little more than one."""
    found: set[str] = set()
    rest = iter(dict.fromkeys(texts))
    while part := list(islice(rest, _AT_A_TIME)):
        if holds_secret("\n\n".join(part)):
            found.update(filter(holds_secret, part))
    return found


def find(text: str, path: str = "", *, prefilter: bool = True) -> list[Finding]:
    """What is to be replaced in `text`, in order; without `prefilter` the slow way."""
    scan = Scan(text)
    found = list(_secrets(scan, path, prefilter=prefilter))
    for kind, places in _PERSONAL.items():
        found += _findings(kind, places(scan, prefilter=prefilter))
    return sorted(set(found), key=lambda finding: (finding.start, -finding.end, finding.kind))


def _replaced(text: str, found: list[Finding]) -> str:
    parts: list[str] = []
    position = 0
    for finding in found:
        if finding.end > position:
            parts += (text[position : max(finding.start, position)], placeholder(finding.kind))
            position = finding.end
    return "".join((*parts, text[position:]))


def _secrets(scan: Scan, path: str, *, prefilter: bool) -> Iterator[Finding]:
    if not prefilter or any(scan.raw[at - 8 : at] == b"PRIVATE " for at in scan.hits(b"key")):
        yield from _findings("private_key", private_key_places(scan.text))
    for kind, (start, end) in rule_places(scan, prefilter=prefilter):
        yield Finding(start, end, kind)
    yield from _findings("netrc", netrc_places(scan, prefilter=prefilter))
    yield from _findings("assigned", assigned_places(scan, path, prefilter=prefilter))
    yield from _findings("assigned", unnamed_places(scan, path, prefilter=prefilter))
    yield from _findings("token", known_places(scan, prefilter=prefilter))
    yield from _findings("encoded", _encoded_places(scan))


def _findings(kind: str, places: Iterator[Place]) -> Iterator[Finding]:
    return (Finding(start, end, kind) for start, end in places)


def _encoded_places(scan: Scan) -> Iterator[Place]:
    """Base64 whose decoding holds a key or a provider's token."""
    for start, end in scan.runs:
        if end - start >= _MIN_BASE64 and _holds_encoded(scan.raw[start:end]):
            yield start, end


def _holds_encoded(run: bytes) -> bool:
    run = run.translate(bytes.maketrans(b"-_", b"+/"))
    try:
        plain = base64.b64decode(run + b"=" * (-len(run) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return False
    inner = Scan(plain)
    return "PRIVATE KEY-----" in plain or any(rule_places(inner)) or any(assigned_places(inner))

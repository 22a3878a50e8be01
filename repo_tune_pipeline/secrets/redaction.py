"""Replaces each secret and each piece of personal data by a placeholder that names its kind.

Names of people and IP addresses are not looked for: both look like too much else in code. Marks
that ask a scanner to look away (`pragma: allowlist secret`, `gitleaks:allow`) count for nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from repo_tune_pipeline.secrets import assigned
from repo_tune_pipeline.secrets.known import known_spans
from repo_tune_pipeline.secrets.rules import PERSONAL, TOKENS, Rule

_PEM = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?P<v>[A-Za-z0-9+/=\s\\\"',:;()*#.|_-]{0,20000}?)"
    r"(?=-----END |\Z|[^A-Za-z0-9+/=\s\\\"',:;()*#.|_-])"
)
_BASE64_START = r"(?:(?<=\\n)|(?<=\\r)|(?<![\w\\]))(?!REDACTED_)"
_CLOSED_KEY = re.compile(_BASE64_START + r"[A-Za-z0-9+/=]{4,}(?!:)")
_OPEN_KEY = re.compile(_BASE64_START + r"[A-Za-z0-9+/=]{16,}")
_REACH = 1200  # Characters after its mark within which each rule's match has left that line.
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])(?P<v>[A-Za-z0-9+/]{24,100000}={0,2})(?![A-Za-z0-9+/=])")
_PUBLIC_MAIL = re.compile(
    r"@(?:[\w-]+\.)*(?:example\.\w+|localhost|[\w-]+\.(?:test|example|invalid|local|localdomain))$"
    r"|^(?:git|noreply|no-reply)@|@users\.noreply\.github\.com$|\.(?:png|jpe?g|svg|gif|webp|js|css)$"
)
_TEST_CARDS = frozenset(
    (
        *("4242424242424242", "4111111111111111", "4000056655665556", "5555555555554444"),
        *("2223003122003222", "5200828282828210", "5105105105105100", "378282246310005"),
        *("371449635398431", "6011111111111117", "6011000990139424", "30569309025904"),
        *("38520000023237", "3566002020360505", "4012888888881881", "4000000000000002"),
    )
)  # Published by payment providers for tests.


@dataclass(frozen=True)
class Redacted:
    """A text of as many lines as before, and the sorted kinds of what was replaced in it."""

    text: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: str
    personal: bool = False


def redact(text: str, path: str = "") -> Redacted:  # noqa: ARG001
    """`text` with each secret and each piece of personal data replaced in place.

    `path` is where the text comes from; no file is spared for its name.
    """
    kinds: set[str] = set()
    parts: list[str] = []
    position = 0
    for span in sorted(_spans(text), key=lambda span: (span.start, -span.end)):
        if span.end <= position:
            continue
        start = max(span.start, position)
        parts += (text[position:start], _placeholder(span.kind))
        position = span.end
        kinds.add(span.kind)
    return Redacted("".join((*parts, text[position:])), tuple(sorted(kinds)))


def holds_secret(text: str) -> bool:
    """Whether `text` holds a secret; personal data is none."""
    return any(not span.personal for span in _spans(text))


def _placeholder(kind: str) -> str:
    return f"REDACTED_{kind.upper()}"


def _spans(text: str) -> Iterator[_Span]:
    lowered = text.lower()
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    for rule in (*TOKENS, *PERSONAL):
        for start, end in _windows(text, lowered, rule.marks):
            yield from _matches(rule, text, start, end)
    for start, end in _windows(text, lowered, assigned.MARKS):
        yield from _assigned(text, start, end)
    for start, end in known_spans(text):
        if "REDACTED_" not in text[start:end]:
            yield _Span(start, end, "token")
    yield from _encoded(text)


def _windows(text: str, lowered: str, marks: tuple[str, ...]) -> list[tuple[int, int]]:
    """The parts of `text`, in whole lines, that hold every match of a rule with these marks.

    No rule's match crosses the end of a line before its mark.
    """
    if not marks or len(lowered) != len(text):
        return [(0, len(text))]
    around: list[tuple[int, int]] = []
    for mark in marks:
        at = lowered.find(mark)
        while at >= 0:
            end = text.find("\n", at + _REACH)
            end = end if end >= 0 else len(text)
            around.append((text.rfind("\n", 0, at) + 1, end))
            at = lowered.find(mark, end)
    return _merged(sorted(around))


def _merged(around: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in around:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _private_keys(text: str) -> Iterator[_Span]:
    for block in _PEM.finditer(text):
        words = _CLOSED_KEY if text.startswith("-----END ", block.end("v")) else _OPEN_KEY
        for line in words.finditer(text, block.start("v"), block.end("v")):
            yield _Span(line.start(), line.end(), "private_key")


def _matches(rule: Rule, text: str, start: int, end: int) -> Iterator[_Span]:
    for found in rule.pattern.finditer(text, start, end):
        value = found["v"]
        if "REDACTED_" not in value and _is_meant(rule, value):
            yield _Span(*found.span("v"), rule.kind, rule.personal)


def _is_meant(rule: Rule, value: str) -> bool:
    match rule.form:
        case "token":
            return True
        case "assigned":
            return bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))
        case "email":
            return not _PUBLIC_MAIL.search(value.lower())
        case "card":
            digits = re.sub(r"\D", "", value)
            return 14 <= len(digits) <= 16 and digits not in _TEST_CARDS and _luhn(digits)
        case "iban":
            return _is_iban(value.replace(" ", ""))


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return len(set(digits)) > 2 and sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _is_iban(value: str) -> bool:
    number = "".join(str(int(char, 36)) for char in value[4:] + value[:4])
    return len(value) <= 34 and int(number) % 97 == 1


def _assigned(text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[_Span]:
    for pattern, quoted in ((assigned.QUOTED, True), (assigned.BARE, False)):
        for found in pattern.finditer(text, start, end):
            name = text[found.start() : found.start("v")]
            if assigned.is_secret(name, found["v"], quoted=quoted):
                yield _Span(*found.span("v"), "assigned")


def _encoded(text: str) -> Iterator[_Span]:
    """Base64 whose decoding holds a key or a provider's token."""
    for found in _BASE64.finditer(text):
        blob = found["v"].rstrip("=")
        try:
            plain = base64.b64decode(blob + "=" * (-len(blob) % 4)).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if "PRIVATE KEY-----" in plain or any(_tokens(plain)) or any(_assigned(plain)):
            yield _Span(*found.span("v"), "encoded")


def _tokens(text: str) -> Iterator[_Span]:
    lowered = text.lower()
    for rule in TOKENS:
        if any(mark in lowered for mark in rule.marks):
            yield from _matches(rule, text, 0, len(text))

"""Values that only their name gives away: `password = "..."`, `api_key: ...`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from repo_tune_pipeline.secrets.placeholders import is_chain, is_template
from repo_tune_pipeline.secrets.scan import Place, Scan

MIN_ENTROPY_BITS = 3.3
"""Bits a character (Shannon); random hexadecimal of 32 digits has about 3.6, English under 3.3."""
NAMES = (b"passw", b"passphrase", b"pwd", b"secret", b"token", b"key")
MAX_VALUE = 8192  # Characters.
_ANY_NAME = re.compile(b"(?=(" + b"|".join(NAMES) + b"))")
SIGN = r"(?:\s{0,4}:\s{0,4}&?[\w<>' ]{1,40}=|\s{0,4}(?::=|=>|===?|=|:))\s{0,4}"
_REST = r"(?P<rest>[\w-]{0,40})"
END = r"\\?[\"']?\]?"
_QUOTED = re.compile(
    rf"{_REST}{END}{SIGN}[rbfu]?\\?(?:"
    + "|".join(
        rf"{quote}(?P<{group}>(?:[^{quote}\\\n]|\\[^{quote}\n]){{4,{MAX_VALUE}}}+)\\?{quote}"
        for quote, group in (('"', "d"), ("'", "s"), ("`", "b"))
    )
    + ")",
    re.IGNORECASE | re.ASCII,
)
_BARE = re.compile(
    rf"{_REST}[ \t]{{0,4}}[=:][ \t]{{0,4}}(?P<v>[^\s\"'`\\<>{{}}()\[\],;$|&]{{4,{MAX_VALUE}}}+)",
    re.ASCII,
)
_PASSWORD = re.compile(r"passw|pwd", re.IGNORECASE)
_PHRASE = re.compile(r"passphrase|passw(?:or)?d|pwd", re.IGNORECASE)
_STRONG_KEY = re.compile(
    r"(?:api|access|private|secret|auth|encryption|signing|account|client|master|shared|consumer"
    r"|license|service|storage)[_-]?key\Z",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
_PIECE = r"(?:(?:[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[A-Z]+)\d{0,3}|\d{1,4})"
NAMED = re.compile(rf"[-_./:@~]*{_PIECE}(?:[-_./:@~]+{_PIECE})*[-_./:@~]*")
_PLACE = re.compile(r"(?:[a-z][a-z0-9+.-]*:/|\.{0,2}|~)/", re.IGNORECASE)
_FILLED = re.compile(r"[$#%]?\{[^{}]*\}|\$\([^()]*\)|<[^<>]*>")
_PROSE = re.compile(
    r"[.:?!…]\Z|\A[A-Z]"
    r"|(?i:\b(?:password|passphrase|your|enter|must|invalid|please|the|is|for|to|of)\b)"
)
_CONFIG = re.compile(
    r"(?:\A|/)\.?(?:env|npmrc|netrc|pgpass|my\.cnf)(?:\.[\w.]+)?\Z"
    r"|\.(?:env|ini|cfg|conf|cnf|properties|toml|ya?ml|tfvars)\Z",
    re.IGNORECASE,
)
_ENV_LINE = re.compile(r"[ \t]*(?:-[ \t]+)?(?:export |ENV |ARG )?[A-Z][A-Z0-9_]*=(?=\S)")
_LOCALE = re.compile(r"(?:\A|[/._-])(?:locales?|i18n|l10n|langs?|languages?|translations?)[/._-]")


def assigned_places(scan: Scan, path: str = "", *, prefilter: bool = True) -> Iterator[Place]:
    """Where in `scan`'s text, which comes from `path`, a secret is assigned to a telling name."""
    config = _CONFIG.search(path) is not None
    locale = _LOCALE.search(path) is not None
    judged = -1
    for at, name in sorted(_hits(scan, prefilter)):
        found = _QUOTED.match(scan.text, at + len(name))
        if found and found.lastgroup:
            place = found.span(found.lastgroup)
            value = scan.text[place[0] : place[1]]
            full = name_at(scan.text, at, at + len(name))
            plain = locale and not re.search(r"\d", value)
            if not plain and _is_quoted_secret(full, found["rest"], value, config=config):
                yield place
        elif at >= judged:
            bare = _BARE.match(scan.text, at + len(name))
            if bare:
                judged = bare.end()
                if _is_bare_secret(scan, at, name, bare, config=config):
                    yield bare.span("v")


def entropy(value: str) -> float:
    """Shannon entropy of `value`'s characters, in bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)


def name_at(text: str, at: int, end: int) -> str:
    """The name whose telling part stands from `at` to `end`, up to that end."""
    start = at
    while start > max(at - 40, 0) and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    return text[start:end]


def _hits(scan: Scan, prefilter: bool) -> Iterator[tuple[int, bytes]]:
    if prefilter:
        for name in NAMES:
            # Both passwords and passphrases are looked for once, by what they share.
            for at in scan.hits(name[:4]):
                if scan.lowered.startswith(name, at):
                    yield at, name
    else:
        for found in _ANY_NAME.finditer(scan.lowered):
            yield found.start(), found[1]


def _is_quoted_secret(name: str, rest: str, value: str, *, config: bool) -> bool:
    if is_template(value):
        return False
    phrase = _PHRASE.search(name[-10:] + rest)
    if phrase and not re.search(r"[A-Za-z]", (name[-10:] + rest)[phrase.end() :]):
        if _letters(value) == _letters(name + rest):
            return False
        return _is_password(value, config=config)
    if re.search(r"\s", value):
        return False
    if _PASSWORD.search(name[-6:]) or phrase:
        return len(value) >= 8 and _is_mixed(value) and not re.search(r"[/:.()\[\]]", value)
    return _is_strong(name) and _is_key(value, 16)


def _letters(value: str) -> str:
    return re.sub(r"[\s_-]", "", value).lower()


def _is_password(value: str, *, config: bool) -> bool:
    """A quoted value, whose name says that it is a password and nothing else."""
    if len(_FILLED.sub("", value)) < 4 or value.isspace():
        return False
    if config:
        return True
    if _PLACE.match(value) or (is_chain(value) and not re.search(r"\d", value)):
        return False
    if re.search(r"\s", value):
        return bool(re.search(r"\d", value)) or not _PROSE.search(value)
    return not re.search(r"[()\[\]{}=;]", value) or _is_mixed(value)


def _is_bare_secret(
    scan: Scan, at: int, name: bytes, found: re.Match[str], *, config: bool
) -> bool:
    value = found["v"].removesuffix("\\n")
    if not _is_ended(scan.text, found.end()) or is_template(value) or is_chain(value):
        return False
    if name in NAMES[:3]:
        exact = not re.search(r"[A-Za-z]", re.sub(r"(?i)\A(?:or)?d", "", found["rest"]))
        if exact and (config or _is_env_line(scan, at, found.start("v"))):
            return not _PLACE.match(value)
        return len(value) >= 8 and _is_mixed(value) and not re.search(r"[/:._=-]", value)
    if not _is_strong(scan.text[max(at - 16, 0) : at + len(name)]):
        return False
    even = HEX.fullmatch(value) or (re.search(r"[a-z]", value) and re.search(r"[A-Z]", value))
    fits = re.fullmatch(r"[A-Za-z0-9+/_=.-]+", value)
    return bool(fits and (even or _UUID.fullmatch(value))) and _is_key(value, 20)


def _is_env_line(scan: Scan, at: int, value_at: int) -> bool:
    """Whether the line begins `NAME=value`, the value at `value_at`."""
    found = _ENV_LINE.match(scan.text, scan.line_at(at)[0], value_at + 1)
    return found is not None and found.end() == value_at


def _is_ended(text: str, end: int) -> bool:
    return end == len(text) or text[end].isspace() or text.startswith("\\n", end)


def _is_strong(name: str) -> bool:
    return not name.lower().endswith("key") or _STRONG_KEY.search(name) is not None


def _is_key(value: str, length: int) -> bool:
    if _UUID.fullmatch(value):
        return True
    if len(value) < length or not _is_mixed(value) or _PLACE.match(value):
        return False
    return not NAMED.fullmatch(value) and entropy(value) >= MIN_ENTROPY_BITS


def _is_mixed(value: str) -> bool:
    return re.search(r"\d", value) is not None and re.search(r"[A-Za-z]", value) is not None

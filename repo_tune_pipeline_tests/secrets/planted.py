"""Secrets made at run time from parts, planted in texts of many forms."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from string import ascii_letters, ascii_uppercase, digits, hexdigits

_ALNUM = ascii_letters + digits
_HEX = hexdigits[:16]
_FORMS = {
    ".py": 'def connect():\n    """Calls it."""\n    use("{}")  # pragma: allowlist secret\n',
    ".js": "const value = '{}'; // gitleaks:allow\n",
    ".ts": "export const value: string = `{}`;\n",
    ".rs": 'fn main() {{\n    let value = "{}";\n}}\n',
    ".go": 'package main\n\nvar value = "{}"\n',
    ".java": 'class A {{\n    String value = "{}";\n}}\n',
    ".yaml": "service:\n  value: {}\n",
    ".json": '{{"value": "{}"}}\n',
    ".toml": '[service]\nvalue = "{}"\n',
    ".md": "# Set up\n\n```\nexport VALUE={}\n```\n",
    ".sh": "cat <<END\n{}\nEND\n",
    ".c": "/* {} */\nint main(void) {{ return 0; }}\n",
    ".ipynb": '{{"outputs": [{{"text": ["{}\\n"]}}]}}\n',
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A `value` that must not be seen again, in a file's `text`; `suffix` is the file's."""

    kind: str
    value: str = field(repr=False)
    text: str = field(repr=False)
    suffix: str


def planted(seed: int) -> list[Planted]:
    """One secret of each kind, each in a form of file drawn by `seed`."""
    return [_one(kind, random.Random(f"{seed} {kind}")) for kind in KINDS]


def _one(kind: str, drawn: random.Random) -> Planted:
    value, around = KINDS[kind](drawn)
    suffix = drawn.choice(list(_FORMS))
    return Planted(kind, value, _FORMS[suffix].format(around), suffix)


def _some(drawn: random.Random, count: int, chars: str = _ALNUM) -> str:
    return "".join(drawn.choices(chars, k=count - 2)) + drawn.choice(chars[-10:]) + chars[0]


_Made = Callable[[random.Random], tuple[str, str]]


def _plain(*parts: str, count: int, chars: str = _ALNUM) -> _Made:
    def make(drawn: random.Random) -> tuple[str, str]:
        value = "".join(parts) + _some(drawn, count, chars)
        return value, value

    return make


def _inside(around: str, count: int, chars: str = _ALNUM) -> _Made:
    def make(drawn: random.Random) -> tuple[str, str]:
        value = _some(drawn, count, chars)
        return value, around.replace("@@", value)

    return make


def _jwt(drawn: random.Random) -> tuple[str, str]:
    value = ".".join(
        ("ey" + "J" + _some(drawn, 20), "ey" + "J" + _some(drawn, 40), _some(drawn, 43))
    )
    return value, value


def _encoded_token(drawn: random.Random) -> tuple[str, str]:
    plain = "token gh" + "p_" + _some(drawn, 36)
    value = base64.b64encode(plain.encode()).decode()
    return value, value


def _key(drawn: random.Random) -> tuple[str, str]:
    value = _some(drawn, 64)
    label = "RSA PRIVATE" + " KEY-----"
    return value, f"-----BEGIN {label}\\n{value}\\n-----END {label}"


KINDS: dict[str, _Made] = {
    "aws_key_id": _plain("AK", "IA", count=16, chars=ascii_uppercase + digits),
    "github": _plain("gh", "p_", count=36),
    "github_fine": _plain("github", "_pat_", count=82),
    "gitlab": _plain("gl", "pat-", count=20),
    "slack": _plain("xo", "xb-", count=40),
    "slack_webhook": _inside("https://hooks.slack" + ".com/services/T0AB/B0CD/@@", 24),
    "stripe_live": _plain("sk_", "live_", count=24),
    "stripe_test": _plain("sk_", "test_", count=24),
    "stripe_webhook": _plain("wh", "sec_", count=32),
    "google": _plain("AI", "za", count=35),
    "google_oauth": _plain("GOC", "SPX-", count=28),
    "azure": _inside("DefaultEndpointsProtocol=https;Account" + "Key=@@==", 86),
    "twilio": _plain("S", "K", count=32, chars=_HEX),
    "mailgun": _plain("ke", "y-", count=32, chars=_HEX),
    "npm": _plain("np", "m_", count=36),
    "pypi": _plain("py", "pi-AgEIcHlwaS5vcmc", count=60),
    "telegram": _plain("123456789", ":A", "A", count=33),
    "huggingface": _plain("h", "f_", count=34),
    "openai": _plain("s", "k-", count=48),
    "anthropic": _plain("sk-", "ant-api03-", count=80),
    "databricks": _plain("da", "pi", count=32, chars=_HEX),
    "digitalocean": _plain("dop", "_v1_", count=64, chars=_HEX),
    "shopify": _plain("shp", "at_", count=32, chars=_HEX),
    "square": _plain("sq0", "atp-", count=22),
    "postgres": _inside("postgres://app:" + "@@@db.internal:5432/app", 12),
    "redis": _inside("redis://:" + "@@@cache.internal:6379", 12),
    "bearer": _inside("Authorization: Bearer " + "1a@@", 32),
    "jwt": _jwt,
    "encoded": _encoded_token,
    "private_key": _key,
}  # fmt: skip

"""What is planted never survives, and what only looks like a secret stays."""

from __future__ import annotations

import ast
import base64
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.secrets import holds_secret, redact
from repo_tune_pipeline.secrets.placeholders import KINDS, is_placeholder, placeholder
from repo_tune_pipeline.secrets.redaction import find
from repo_tune_pipeline.secrets.rules import RULES
from repo_tune_pipeline_tests.secrets import planted as plants
from repo_tune_pipeline_tests.secrets.planted import planted

_NOISE = st.text(alphabet="ab Z09=:\"'`/@.-_+\n#{}()é\u0130", max_size=60)
_BITS = (
    *("key", "=", "token:", '"secret"', "'passwd'", "\n", "\n\n", "//", "@x", "a@b.io", "+49"),
    *("://", "12345678", "DE89", "abcdef0123456789", "REDACTED_CARD", "eyJ", "sk-", "xox", "AKIA"),
    *("é", "\u2028", "\r\n", "{}", "()", ",", ".", ":", "=>", "${A}", "basic", "bearer"),
)
_WORDS = st.lists(st.sampled_from(_BITS), max_size=300)
_PACKAGE = Path(redact.__code__.co_filename).parents[1]
_HUNTER = "hunter2" + "hunter"
_HEXES = "9f86d081884c7d659a2f" + "eaa0c55ad015a3bf4f1b"


@pytest.mark.parametrize("seed", range(10))
def test_no_planted_secret_survives(seed: int) -> None:
    survivors = [
        (one.kind, one.suffix) for one in planted(seed) if one.value in redact(one.text).text
    ]
    assert survivors == []


@given(seed=st.integers(0, 10**6), before=_NOISE, after=_NOISE, which=st.integers(0, 29))
@settings(max_examples=100, deadline=None)
def test_redacting_keeps_lines_and_is_done_once(
    seed: int, before: str, after: str, which: int
) -> None:
    text = f"{before}\n{planted(seed)[which].text}\n{after}"
    once = redact(text)
    assert once.text.count("\n") == text.count("\n")
    assert redact(once.text).text == once.text
    assert not holds_secret(once.text)


@given(seed=st.integers(0, 10**6), words=_WORDS, spread=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_the_prefilter_loses_nothing_in_long_texts(
    seed: int, words: list[str], spread: int
) -> None:
    drawn = random.Random(f"{seed}")
    parts = [*words, *(one.text for one in drawn.sample(planted(seed), 6))]
    drawn.shuffle(parts)
    text = "".join(part + "\n" * (place % spread == 0) + " " for place, part in enumerate(parts))
    assert find(text) == find(text, prefilter=False)


def test_the_prefilter_loses_nothing_in_real_files() -> None:
    library = sorted(Path(ast.__file__).parent.glob("*.py"))[::8]
    for file in (*sorted(_PACKAGE.rglob("*.py"))[::3], *library):
        text = file.read_text(errors="replace")
        assert find(text, file.name) == find(text, file.name, prefilter=False), file.name


def test_each_kind_has_a_placeholder_that_is_known() -> None:
    assert {rule.kind for rule in RULES} <= set(KINDS)
    assert all(is_placeholder(placeholder(kind)) for kind in KINDS)


@pytest.mark.parametrize(
    "text",
    [
        'integrity "sha512-' + "aB3/" * 20 + '=="',
        "commit 0123456789abcdef0123456789abcdef01234567",
        'id = "123e4567-e89b-12d3-a456-426614174000"',
        "git clone git@github.com:owner/name.git",
        "write to someone@example.com",
        'card = "4242424242424242"',
        'password = os.environ["PASSWORD"]',
        "token = next_token_from_stream(reader)",
        'password = "${DB_PASSWORD}"',
        "password: ${{ secrets.DB_PASSWORD }}",
        'password = "<your-password>"',
        'api_key = "your-api-key-here"',
        'password = "changeme"',
        'password = "xxxxxxxx"',
        'password = "%(password)s"',
        'label = {password: "Enter your password"}',
        '"parse-passwd": "^1.0.0"',
        "'db_admin_password': 'dbAdminPassword'",
        "password = settings.database.password1",
        'token_url = "https://accounts.host.io/oauth2/v2/token"',
        'checksum_key = "' + _HEXES + '"',
        "x = y +493012345678",
        "const big = 123456789012345678901234567890;",
        'password = "REDACTED_ASSIGNED"',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    "around",
    [
        "DB_PASSWORD=@@",
        "password: @@",
        'password = "@@"',
        'password == "@@"',
        "machine host.io\n  login me\n  password @@",
        "jdbc:postgresql://host/db?user=a&password=@@",
        "mongodb+srv://me:@@@host.io/db",
        "-----BEGIN PRIVATE" + " KEY-----\n" + "aB3d" * 16 + "\n@@\n-----END PRIVATE" + " KEY-----",
        'f("password=" + x, password="@@")',
        '{\\"password\\": \\"@@\\"}',
    ],
)
def test_what_only_its_place_gives_away_goes(around: str) -> None:
    assert _HUNTER not in redact(around.replace("@@", _HUNTER)).text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("password = 'correct horse battery staple'", "a.py"),
        ("password = 'q.w:e/r9t'", "a.py"),
        ("const dbPassword = 'wxyz'", "a.js"),
        ("password: plain.words/only", "conf/app.yaml"),
        ("db.password = abcd", "app.properties"),
        ("DB_PASSWORD=wxyzabc", "run.sh"),
        ("export DB_PASSWORD=p@ss!wd", "run.sh"),
        ("HEROKU_API_KEY=123e4567-e89b-12d3-a456-426614174000", ".env"),
        ("secret = '" + "".join(random.Random(1).choices("aZ3x9Qw8Lk2", k=900)) + "1'", "a.py"),
        ("encryption = {'key': '" + _HEXES + "'}", "a.py"),
        ("/* hash */ encryption = {'key': '" + _HEXES + "'}", "a.js"),
        ("'auth': 'Zm9vYmFyMTIz" + "QWxsT2ZUaGlzSXNSYW5kb204'", "poetry.lock"),
        ("credentials: 'Zm9vYmFyMTIz" + "QWxsT2ZUaGlzSXNSYW5kb204'", "a.rb"),
        ("phone: '+4930" + "12345678'", "a.py"),
        ("tel:+1415" + "5550123", "a.html"),
        ("akcp: AKC" + "p8" + "aB3dE6gH" * 8, "a.txt"),
    ],
)
def test_what_its_context_gives_away_goes(text: str, path: str) -> None:
    assert redact(text, path).kinds


@pytest.mark.parametrize(
    "word", ["REDACTED_", "REDACTED_GITHUB", "example", "token", "passw", "secret", "your_", "xxxx"]
)
@pytest.mark.parametrize("kind", ["github", "gitlab", "stripe_live", "huggingface", "postgres"])
def test_no_word_beside_a_secret_hides_it(word: str, kind: str) -> None:
    one = next(one for one in planted(7) if one.kind == kind)
    for text in (
        one.text.replace(one.value, f"{one.value}-{word}"),
        f"# {word} {word}\n{one.text}  # {word} pragma: allowlist secret",
        f'password = "{word}{_HUNTER}"\n{one.text}',
        f'api_key = "{word}-{one.value}{one.value}"\n',
    ):
        clean = redact(text).text
        assert one.value not in clean
        assert _HUNTER not in clean


def test_a_value_on_the_line_after_its_name_goes_wherever_it_stands() -> None:
    for count in range(1100, 1260, 7):
        text = f"token\n{'a' * count}\npassword =\n  '{_HUNTER}'\n"
        assert _HUNTER not in redact(text).text


@pytest.mark.parametrize(
    "decoy",
    ["-----END DECOY-----", "<!-- {note} -->", "if (a > b) { return; }", "REDACTED_PRIVATE_KEY"],
)
@pytest.mark.parametrize("label", ["PRIVATE", "RSA PRIVATE", "PGP PRIVATE", "OPENSSH PRIVATE"])
def test_no_decoy_inside_armour_hides_a_key(decoy: str, label: str) -> None:
    block = " BLOCK" if label.startswith("PGP") else ""
    lines = [base64.b64encode(random.Random(n).randbytes(48)).decode() for n in range(6)]
    key = [f"-----BEGIN {label} KEY{block}-----", *lines, f"-----END {label} KEY{block}-----"]
    key[3:3] = [decoy]
    for text in ("\n".join(key), "key = (\n" + "\n".join(f'  "{x}\\n"' for x in key) + "\n)\n"):
        clean = redact(text).text
        assert not [line for line in lines if line in clean]
        assert clean.count("\n") == text.count("\n")


@pytest.mark.parametrize("kind", list(plants.KINDS))
def test_what_could_be_parsed_can_be_parsed_still(kind: str) -> None:
    value, around = plants.KINDS[kind](random.Random(3))
    around = around.replace("\\n", "\n")
    cell = {"cell_type": "code", "outputs": [{"text": ["ok\n", around]}], "source": [repr(around)]}
    notebook = json.dumps({"cells": [cell, cell], "nbformat": 4}, indent=1)
    code = f'def connect(host):\n    """Of {kind}."""\n    return use(host, {around!r})\n'
    for text, parse in ((notebook, json.loads), (code, ast.parse)):
        clean = redact(text).text
        assert value not in clean
        parse(clean)


def test_personal_data_goes() -> None:
    text = "jo.doe@corp.io, +49 30 1234 5678, 4539 1488 0343 6467, DE89 3704 0044 0532 0130 00"
    assert redact(text).kinds == ("card", "email", "iban", "phone")
    assert not holds_secret(text)
    assert redact("3498 765432 10" + "986, GB82WEST12345698765432").kinds == ("card", "iban")


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            "=",
            '"',
            "'",
            "eyJ-",
            "sk-T3BlbkFJ",
            "A1b+",
            "@",
            "a.",
            "a@",
            "://",
            "+1 22 ",
            "password=",
            "key='",
        ),
        *(
            'token:"',
            "eyJ",
            "0",
            "AA00",
            "4539 ",
            "-----BEGIN PRIVATE" + " KEY-----",
            "A1/" * 9 + " ",
        ),
        *("secret:'a ", "aws key", "://a:", "basic ", "machine a login b password c "),
    ],
)
def test_a_long_hostile_line_costs_little(unit: str) -> None:
    start = time.process_time()
    redact(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 10


def test_the_package_is_imported_without_the_plugins() -> None:
    code = "import sys, repo_tune_pipeline.secrets as s; s.redact('key = 1'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"detect_secrets", "requests", "numpy"} & set(run.stdout.split())

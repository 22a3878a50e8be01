"""What is planted never survives, and what only looks like a secret stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.secrets import holds_secret, redact
from repo_tune_pipeline.secrets.known import known_spans
from repo_tune_pipeline_tests.secrets.planted import planted

_NOISE = st.text(alphabet="ab Z09=:\"'`/@.-_+\n#{}()", max_size=60)


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


@given(seed=st.integers(0, 10**6), before=_NOISE, after=_NOISE, which=st.integers(0, 29))
@settings(max_examples=100, deadline=None)
def test_the_prefilter_loses_nothing(seed: int, before: str, after: str, which: int) -> None:
    text = before + planted(seed)[which].text + after
    assert set(known_spans(text)) == set(known_spans(text, prefilter=False))
    # A text that changes its length in lower case is searched as a whole.
    assert redact(text + "\n\u0130").text == redact(text).text + "\n\u0130"


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
        "machine host.io\n  login me\n  password @@",
        "jdbc:postgresql://host/db?user=a&password=@@",
        "mongodb+srv://me:@@@host.io/db",
        "-----BEGIN PRIVATE" + " KEY-----\n" + "aB3d" * 16 + "\n@@\n-----END PRIVATE" + " KEY-----",
    ],
)
def test_what_only_its_place_gives_away_goes(around: str) -> None:
    value = "hunter2" + "hunter"
    assert value not in redact(around.replace("@@", value)).text


def test_personal_data_goes() -> None:
    text = "jo.doe@corp.io, +49 30 1234 5678, 4539 1488 0343 6467, DE89 3704 0044 0532 0130 00"
    assert redact(text).kinds == ("card", "email", "iban", "phone")
    assert not holds_secret(text)


@pytest.mark.parametrize(
    "unit", ["a", "=", '"', "'", "A1b+", "@", "a.", "a@", "://", "+1 22 ", "password="]
)
def test_a_long_hostile_line_costs_little(unit: str) -> None:
    start = time.process_time()
    redact(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 5

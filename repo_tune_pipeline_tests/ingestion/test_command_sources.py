"""Rows 1 to 8 through `repo-tune ingest`: what may be named as a source, and who may be asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.ingestion.conftest import Case, Outcome
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import (
    Ran,
    assert_harmless,
    assert_offline,
    assert_refused,
    assert_taken,
)
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer

pytestmark = pytest.mark.slow

HELPER, PRIVATE = "asks for a transport helper", "private or otherwise reserved address"
SOURCES = {
    "row-1-ext": ("ext::sh -c touch% it-ran", HELPER),
    "row-1-fd": ("fd::17", HELPER),
    "row-1-any-helper": ("anything::https://host.test/a/b", HELPER),
    "row-2-upload-pack": ("--upload-pack=touch it-ran", "looks like an option"),
    "row-4-file": ("file://other.test/a/b", "a file on another machine"),
    "row-4-git": ("git://host.test/a/b", "uses git://"),
    "row-4-ssh-option": ("ssh://-oProxyCommand=touch it-ran/a/b", "doesn't name a host"),
    "row-4-ssh-not-allowed": ("ssh://git@host.test/a/b", "by ssh, which is off"),
    "row-5-loopback": ("https://127.0.0.1:@@/a/b", PRIVATE),
    "row-5-octal": ("https://0177.1:@@/a/b", PRIVATE),
    "row-5-hexadecimal": ("https://0x7f.1:@@/a/b", PRIVATE),
    "row-5-one-number": ("https://2130706433:@@/a/b", PRIVATE),
    "row-5-mapped": ("https://[::ffff:127.0.0.1]:@@/a/b", PRIVATE),
    "row-5-name-that-leads-there": ("https://localhost:@@/a/b", PRIVATE),
    "row-5-private": ("https://10.0.0.1/a/b", PRIVATE),
    "row-5-link-local": ("https://169.254.169.254/a/b", PRIVATE),
}
"""A source, and what is said of it; @@ is a port that nobody may connect to."""
REFS = {"row-3-dash": "-x", "row-3-option": "--output=it-ran"}
TOKEN = "s3cret"
ENCODED = "c29tZW9uZTpzM2NyZXQ"


def _named(source: str, place: Place) -> Ran:
    settings = {"allow_ssh": "ssh://git@host.test" not in source}
    return place.ingest(source.replace("@@", str(place.port)), settings=settings)


def _referred(ref: str, place: Place) -> Ran:
    repository = Repository(place.folder / "shop")
    repository.commit({"a.py": "x = 1\n"})
    return place.ingest(repository.folder, f"--ref={ref}")


def _served(prepare: Callable[[GitServer, Place], None], user: str, place: Place) -> Ran:
    """Ask a server on this machine, which the configuration names."""
    repository = Repository(place.folder / "shop")
    repository.commit({"a.py": "x = 1\n"})
    authority = place.folder / "authority.pem"
    server = GitServer(place.folder / "served", authority)
    bare = str(server.root / "team" / "shop.git")
    repository.git("clone", "--quiet", "--bare", "--no-local", ".", bare)
    prepare(server, place)
    settings = {"private_hosts": ["localhost"], "timeout_seconds": 2 if server.drips else 40}
    with server.running():
        source = f"https://{user}localhost:{server.port}/team/shop.git"
        ran = place.ingest(source, settings=settings, SSL_CERT_FILE=str(authority))
    assert {address[1] for address in ran.connected} == {server.port}
    assert {given for _, given in server.requests} == {f"Basic {ENCODED}=" if user else ""}
    return ran


def _leads_inward(server: GitServer, place: Place) -> None:
    server.redirect = f"https://127.0.0.1:{place.port}"


def _drips(to: str, server: GitServer, place: Place) -> None:
    server.drips = to


def _as_it_is(server: GitServer, place: Place) -> None:
    """Nothing is wrong with this server."""


def _steers_the_terminal(place: Place) -> Ran:
    place.program("ssh", 'printf "fatal: \\033[2Jgone\\007\\n" >&2; exit 1')
    settings = {"allow_ssh": True, "private_hosts": ["host.test"]}
    return place.ingest("ssh://git@host.test/a/b", settings=settings)


def _without_the_mark(place: Place) -> Ran:
    return place.run("ingest", "--upload-pack=touch it-ran", config={})


SERVED = {
    "row-5-redirect": (_leads_inward, "private or otherwise reserved address"),
    "row-7-a-byte-a-second": (partial(_drips, "git/"), "wasn't read within 2 seconds"),
    "row-7-a-byte-a-second-for-git": (partial(_drips, "git/2"), "wasn't read within 2 seconds"),
}
CASES: dict[str, Case] = {
    **{row: partial(_named, source) for row, (source, _) in SOURCES.items()},
    **{row: partial(_referred, ref) for row, ref in REFS.items()},
    **{row: partial(_served, prepare, "") for row, (prepare, _) in SERVED.items()},
    "row-2-option-of-the-command": _without_the_mark,
    "row-6-token": partial(_served, _as_it_is, f"someone:{TOKEN}@"),
    "row-8-terminal-escapes": _steers_the_terminal,
}


@pytest.mark.parametrize("row", SOURCES)
def test_a_source_is_refused_and_nobody_asked(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, SOURCES[row][1])
    assert_offline(ran)
    assert ran.asked_of_git == set()


@pytest.mark.parametrize("row", REFS)
def test_a_ref_that_looks_like_an_option_is_refused(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, f"The ref '{REFS[row]}' isn't a name that a branch or tag can have")
    assert_offline(ran)


@pytest.mark.parametrize("row", ["row-2-option-of-the-command"])
def test_an_option_in_place_of_a_source_is_wrong_use(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert ran.code == 2
    assert "No such option '--upload-pack'" in ran.err
    assert "--help" in ran.err
    assert_harmless(ran)
    assert_offline(ran)


@pytest.mark.parametrize("row", SERVED)
def test_a_server_that_leads_astray_or_never_ends_is_given_up(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, SERVED[row][1])
    if row == "row-5-redirect":
        assert ran.asked_of_git == set()


@pytest.mark.parametrize("row", ["row-6-token"])
def test_a_token_is_in_no_log_file_argument_or_metadata(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_taken(ran)
    assert ran.files()["a.py"].text == "x = 1\n"
    places = [*ran.everything(), ("arguments", repr(ran.started).encode())]
    assert any(Path(place).suffix == ".db" and b"team/" in content for place, content in places)
    for secret in (TOKEN, ENCODED):
        assert [place for place, content in places if secret.encode() in content] == []


@pytest.mark.parametrize("row", ["row-8-terminal-escapes"])
def test_what_a_server_says_cannot_steer_the_terminal(row: str, outcome: Outcome) -> None:
    ran = outcome(row)
    assert_refused(ran, "\\x1b[2Jgone\\x07")
    assert [place for place, content in ran.everything() if b"\x1b[2J" in content] == []

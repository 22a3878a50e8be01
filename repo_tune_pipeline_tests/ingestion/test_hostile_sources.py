"""What may be named as a source, and what is refused before anything is asked or started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion import head_commit, public_source, repo_name
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository

Refuses = Callable[[str], None]


@pytest.fixture
def refuses(
    read: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_ssh: Path
) -> Refuses:
    """Checks that a source is refused in one line with a remedy, and leaves no file behind."""
    monkeypatch.chdir(tmp_path)

    def check(source: str) -> None:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SourceError) as caught:
            read(source, name="a/b")
        assert caught.value.remedy
        assert "\n" not in str(caught.value)
        assert sorted(tmp_path.rglob("*")) == before

    return check


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c touch% it-ran",
        "EXT::sh -c touch% it-ran",
        "fd::17",
        "fd::17,18/a",
        "https::https://host.test/a/b",
        "anything::a",
        "https://host.test/ext::sh -c touch% it-ran",
    ],
)
def test_a_transport_helper_is_refused(source: str, refuses: Refuses) -> None:
    refuses(source)


@pytest.mark.parametrize(
    "source", ["--upload-pack=touch it-ran", "--upload-pack=touch it-ran;", "-u", "-", "--"]
)
def test_an_option_in_place_of_a_url_is_refused(source: str, refuses: Refuses) -> None:
    refuses(source)


@pytest.mark.parametrize(
    "source",
    [
        "git://host.test/a/b",
        "http://host.test/a/b",
        "ftp://host.test/a/b",
        "file://other.test/a/b",
        "ssh://-oProxyCommand=touch it-ran/a/b",
        "ssh://-oProxyCommand=x@host.test/a/b",
        "ssh://git@-oProxyCommand=x/a/b",
        "git@-oProxyCommand=x:a/b",
        "-oProxyCommand=x:a/b",
    ],
)
def test_another_protocol_and_an_option_to_ssh_are_refused(source: str, refuses: Refuses) -> None:
    refuses(source)


@pytest.mark.parametrize(
    "source",
    [
        "https:///a/b",
        "https://host.test",
        "https://host.test:port/a/b",
        "https://host.test/a/b\nc",
        "/there/is/no/such/folder",
        "",
    ],
)
def test_what_names_nothing_is_refused(source: str, refuses: Refuses) -> None:
    refuses(source)


@pytest.mark.parametrize(
    "ref", ["--output=x", "-x", "--", "a..b", "HEAD~1", "a b", "@{1}", "a:b", "*", "a\nb"]
)
def test_a_ref_that_begins_with_a_dash_or_is_no_name_is_refused(
    ref: str, repository: Repository, read: Ingest
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    for source in (str(repository.folder), "https://host.test/a/b"):
        with pytest.raises(SourceError, match="isn't a name that a branch or tag can have"):
            read(source, ref=ref)
        with pytest.raises(SourceError, match="isn't a name that a branch or tag can have"):
            head_commit(source, ref=ref, settings=IngestionSettings())


def test_a_token_in_a_url_is_never_shown() -> None:
    for source in (
        "https://someone:s3cret@host.test/a/b",
        "https://s3cret@host.test/a/b",
        "https://host.test/a/b?token=s3cret",
        "https://someone:s3/cret@host.test/a/b",
        "ssh://git:s3cret@host.test/a/b",
        "http://someone:s3cret@host.test/a/b",
        "https://someone:s3cret@host.test:port/a/b",
    ):
        assert "s3cret" not in public_source(source)
        assert "cret@" not in public_source(source)
        assert "s3cret" not in repo_name(source)
    settings = IngestionSettings()
    for refused in ("http://x:s3cret@host.test/a/b", "https://x:s3cret@host.test/a/b?q=s3cret"):
        with pytest.raises(SourceError) as caught:
            head_commit(refused, settings=settings)
        assert "s3cret" not in str(caught.value)

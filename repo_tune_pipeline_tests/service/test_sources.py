"""Which repositories may be added over HTTP."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import NotAllowedError, RepoTuneError
from repo_tune_pipeline.registry import Registered, register
from repo_tune_pipeline.service.sources import allowed_source
from repo_tune_pipeline.settings import RepositorySettings, ServiceSettings, Settings


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("sources")
    for name in ("open/inside", "closed/inside", "opened"):
        (root / name).mkdir(parents=True)
    (root / "open/out").symlink_to(root / "closed")
    service = ServiceSettings(hosts=("git.example",), folders=(str(root / "open"),))
    repositories = (RepositorySettings(source=".", name="team/here"),)
    home = Home(root / "home")
    register(home, Registered("team/known", "/srv/known", "main"))
    return root, Settings(service=service, repositories=repositories), home


def ask(place, source: str, ref: str = "", name: str = "") -> Registered:
    _, settings, home = place
    return allowed_source(source, ref, name, settings=settings, home=home)


def test_named_hosts_and_folders_and_known_repositories_are_taken(place):
    root = place[0]
    assert ask(place, "https://GIT.example/team/app.git").name == "team/app"
    assert ask(place, f"{root}/open/inside", name="team/in").name == "team/in"
    assert ask(place, ".").name == "team/here"
    assert ask(place, "team/known").source == "/srv/known"
    assert ask(place, "team/known", ref="v2") == Registered("team/known", "/srv/known", "v2")


@pytest.mark.parametrize(
    "source",
    [
        "https://github.com/team/app",
        "https://git.example.evil.example/team/app",
        "https://git.example@evil.example/team/app",
        "https://user:token@git.example/team/app",
        "https://git.example\\@evil.example/a/b",
        "http://127.0.0.1/a/b",
        "http://0177.1/a/b",
        "http://[::ffff:127.0.0.1]/a/b",
        "http://2130706433/a/b",
        "ssh://git.example/a/b",
        "git@git.example:a/b",
        "file:///etc",
        "ext::sh -c id",
        "--upload-pack=id",
        "../open/inside",
        "~/open",
        "/etc",
        "ROOT/closed/inside",
        "ROOT/opened",
        "ROOT/open/../closed/inside",
        "ROOT/open/out/inside",
    ],
)
def test_nothing_else_is(place, source):
    with pytest.raises(RepoTuneError) as refused:
        ask(place, source.replace("ROOT", str(place[0])))
    assert "token@" not in str(refused.value)


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_named_is_refused_or_lies_where_it_may(place, source, ref, name):
    try:
        found = ask(place, source, ref, name)
    except RepoTuneError:
        return
    assert found.name in ("team/here", "team/known") or Path(found.source).is_relative_to(
        place[0] / "open"
    )


def test_whether_a_closed_folder_is_there_is_not_told(place):
    told = set()
    for name in ("closed/inside", "closed/nothing"):
        with pytest.raises(NotAllowedError) as refused:
            ask(place, f"{place[0]}/{name}")
        told.add(str(refused.value))
    assert len(told) == 1

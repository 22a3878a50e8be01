"""Many questions at once: how many are let in, and what becomes of those that wait."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest

from repo_tune_pipeline import answering, jobs
from repo_tune_pipeline.models.protocol import Answer
from repo_tune_pipeline.models.queue import MOST_TOGETHER
from repo_tune_pipeline.service import local_models
from repo_tune_pipeline.settings import ServiceSettings, Settings
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.service.serving import (
    FORMS,
    QUESTION,
    VERSION,
    ask,
    client,
    make_home,
    make_version,
    service,
)

NEWER = "123456789abc"


class Slow:
    """A model that answers when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = False
        self.dropped = 0

    def has_room(self, prompt, max_tokens):
        return True

    def answer(self, prompts, *, max_tokens, follow=None):
        self.began = True
        while not self.go.wait(0.02):
            if all(follow.is_over(row) for row in range(len(prompts))):
                self.dropped += len(prompts)
                break
        return [Answer("It splits.", 10, 3, finished=True) for _ in prompts]


def _questions(http, state: str) -> int:
    """How many there are of a state, as Prometheus is told."""
    told = http.get("/metrics").text
    return int(float(re.search(rf"^repo_tune_questions_{state} (\S+)$", told, re.MULTILINE)[1]))


def _until(found, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.02)
    return found()


def _held_searches(monkeypatch):
    """The searches that began, and what lets them go on."""
    searched, go = [], threading.Event()
    find = answering.find_passages

    def held_find(*given, **more):
        searched.append(given)
        assert go.wait(120)
        return find(*given, **more)

    monkeypatch.setattr(answering, "find_passages", held_find)
    return searched, go


def test_a_full_service_turns_away_before_any_work_is_done(home, monkeypatch):
    searched, go = _held_searches(monkeypatch)
    settings = Settings(service=ServiceSettings(max_waiting=4))
    most = 4 + MOST_TOGETHER
    slow = Slow()
    with (
        service(home, settings, load=lambda _: {"fine-tuned": slow, "base": slow}) as url,
        client(url, limits=httpx.Limits(max_connections=None)) as http,
        ThreadPoolExecutor(64 + most) as many,
    ):
        kinds = [("query", {}), *((form, {"stream": yes}) for form in ("chat", "completion")
                                  for yes in (True, False))]  # fmt: skip
        some = [kinds[number % len(kinds)] for number in range(64 + most)]
        admitted = [many.submit(ask, http, form, **more) for form, more in some[:most]]
        try:
            assert _until(lambda: _questions(http, "under_way") == most)
            assert _until(lambda: len(searched) == 4)
            others = [many.submit(ask, http, form, **more) for form, more in some[most:]]
            refused = [one.result(120) for one in others]
            assert not any(one.done() for one in admitted)
            assert len(searched) == 4
        finally:
            go.set()
            slow.go.set()
        assert {answer.status_code for answer in refused} == {503}
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
        assert {one.result().status_code for one in admitted} == {200}
        assert len(searched) == sum(form != "completion" for form, _ in some[:most])
        assert ask(http, "query").status_code == 200


def test_what_waits_is_counted_and_every_end_is_too(home):
    slow = Slow()
    settings = Settings(variants={"main": {}, "rust": {}})
    with (
        service(home, settings, load=lambda _: {"fine-tuned": slow, "base": slow}) as url,
        client(url) as http,
    ):
        with ThreadPoolExecutor(4) as many:
            first = many.submit(ask, http, "query")
            assert _until(lambda: slow.began)
            others = [many.submit(ask, http, form) for form in FORMS]
            assert _until(lambda: _questions(http, "waiting") == 3)
            assert _questions(http, "under_way") == 4
            slow.go.set()
            assert {one.result().status_code for one in (first, *others)} == {200}
        for form in ("chat", "completion"):
            assert ask(http, form, model="fine-tuned:rust", stream=True).status_code == 404
            assert ask(http, form, model="gemini", stream=True).status_code == 403
        slow.go.clear()
        for form in FORMS:
            more = {} if form == "query" else {"stream": True}
            with pytest.raises(httpx.ReadTimeout):
                ask(http, form, timeout=0.5, **more)
        assert _until(lambda: _questions(http, "under_way") == 0)
        assert _questions(http, "waiting") == 0


def _asked_of_two_versions(root):
    """A home, and a slow model for each version that it will have; with what was loaded."""
    own = make_home(root / "home", starter_folder(), name="starter")
    models = {VERSION: Slow(), NEWER: Slow()}
    loaded: list[str] = []

    def load(version):
        number = str(version.run["version"])
        loaded.append(number)
        return {"fine-tuned": models[number], "base": models[number]}

    return own, models, loaded, load


def test_what_waits_when_the_champion_changes_is_answered_by_the_one_that_was_asked(tmp_path):
    own, models, loaded, load = _asked_of_two_versions(tmp_path)
    with (
        service(own, load=load) as url,
        client(url) as http,
        ThreadPoolExecutor(8) as many,
    ):
        try:
            first = many.submit(ask, http, "query", model="fine-tuned")
            assert _until(lambda: models[VERSION].began)
            waiting = many.submit(ask, http, "query", model="fine-tuned")
            others = [many.submit(ask, http, form, stream=True) for form in ("chat", "completion")]
            assert _until(lambda: _questions(http, "waiting") == 3)
            make_version(own, NEWER, starter_folder(), name="starter")
            newer = many.submit(ask, http, "query", model="fine-tuned")
            assert _until(lambda: _questions(http, "under_way") == 5)
            assert loaded == [VERSION]
        finally:
            for slow in models.values():
                slow.go.set()
        assert {one.result().json()["model"] for one in (first, waiting)} == {f"main-{VERSION}"}
        assert newer.result().json()["model"] == f"main-{NEWER}"
        assert {one.result().status_code for one in others} == {200}
        assert "error" not in "".join(one.result().text for one in others)
    assert loaded == [VERSION, NEWER]


def test_what_is_searched_for_when_the_champion_changes_is_answered_by_the_new_one(
    tmp_path, monkeypatch
):
    own, models, loaded, load = _asked_of_two_versions(tmp_path)
    for slow in models.values():
        slow.go.set()
    searched, go = _held_searches(monkeypatch)
    with service(own, load=load) as url, client(url) as http, ThreadPoolExecutor(8) as many:
        try:
            asked = [many.submit(ask, http, "query", model="fine-tuned"),
                     many.submit(ask, http, "chat", stream=True)]  # fmt: skip
            assert _until(lambda: len(searched) == 2)
            make_version(own, NEWER, starter_folder(), name="starter")
            assert ask(http, "completion").status_code == 200
        finally:
            go.set()
        query, chat = (one.result() for one in asked)
        assert (query.status_code, chat.status_code) == (200, 200)
        assert query.json()["model"] == f"main-{NEWER}"
        assert "error" not in chat.text
    assert loaded == [NEWER]


def test_what_waits_when_a_training_takes_the_gpu_is_told_when_to_ask_again(tmp_path, monkeypatch):
    monkeypatch.setattr(local_models, "machine_facts", lambda: SimpleNamespace(gpus=["one"]))
    own, models, _, load = _asked_of_two_versions(tmp_path)
    with (
        service(own, load=load) as url,
        client(url) as http,
        ThreadPoolExecutor(8) as many,
    ):
        try:
            first = many.submit(ask, http, "query")
            assert _until(lambda: models[VERSION].began)
            waiting = {form: many.submit(ask, http, form) for form in FORMS}
            assert _until(lambda: _questions(http, "waiting") == 3)
            jobs.hold_job(own, "run")
            jobs.note_training(own, "run", jobs.UnderWay(own.root / "work", own.root / "adapter"))
            # So long nobody looks again whether there is a training.
            time.sleep(2.5)
        finally:
            models[VERSION].go.set()
        answers = {form: one.result() for form, one in waiting.items()}
        jobs.let_job_go("run")
    assert first.result().status_code == 200
    for form, answer in answers.items():
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        told = answer.json()
        said = told["detail"] if form == "query" else told["error"]["message"]
        assert "A training holds the device." in said


def test_who_goes_away_is_not_answered_for(home):
    slow = Slow()
    with service(home, load=lambda _: {"fine-tuned": slow}) as url:
        with client(url) as http, pytest.raises(Exception, match="timed out"):
            http.post("/query", json=QUESTION, timeout=1.5)
        end = time.monotonic() + 5
        while not slow.dropped and time.monotonic() < end:
            time.sleep(0.05)
        assert slow.dropped == 1

"""`/query`: answers over what is found, for many at once."""

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
from repo_tune_pipeline.settings import AnsweringSettings, OpenAISettings, ServiceSettings, Settings
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.model_server import Answer as Reply
from repo_tune_pipeline_tests.model_server import ModelServer
from repo_tune_pipeline_tests.service.serving import (
    VERSION,
    client,
    make_home,
    make_version,
    service,
)

NEWER = "123456789abc"
QUESTION = {"q": "What does split_header return?"}


@pytest.mark.parametrize("form", ["body", "address", "get"])
@pytest.mark.parametrize("model", ["fine-tuned", "base"])
def test_a_local_model_answers_with_the_lines_that_it_read(url, form, model):
    with client(url) as http:
        if form == "body":
            answer = http.post("/query", json={**QUESTION, "model": model})
        elif form == "address":
            answer = http.post(f"/query?model={model}", json=QUESTION)
        else:
            answer = http.get("/query", params={**QUESTION, "model": model})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"answer", "model", "sources", "usage", "seconds"}
    assert told["model"] == {"fine-tuned": f"main-{VERSION}", "base": "starter"}[model]
    assert told["sources"][0]["symbol"] == "split_header"
    assert told["sources"][0]["path"] == "pkg/mod.py"
    assert told["usage"]["prompt_tokens"] > 20


def test_what_nothing_is_found_for_is_said_without_a_model(url):
    with client(url) as http:
        told = http.post("/query", json={"q": "zygomorphic quokkas"}).json()
    assert told["sources"] == []
    assert told["usage"]["completion_tokens"] == 0
    assert "Nothing in the ingested repositories" in told["answer"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "q"),
        ({"q": " \t"}, "q"),
        ({"q": "x" * 4_001}, "q"),
        ({"q": "x", "model": "gpt"}, "model"),
        ({"q": "x", "temprature": 1}, "temprature"),
        ({"q": "x", "variant": "../main"}, "variant"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(url, body, names):
    with client(url) as http:
        answer = http.post("/query", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert names in answer.json()["detail"]


def test_a_variant_without_an_adapter_is_not_there(url):
    with client(url) as http:
        answer = http.post("/query", json={**QUESTION, "variant": "rust", "model": "fine-tuned"})
    assert answer.status_code == 404
    assert "repo-tune train --variant rust" in answer.json()["remedy"]


def test_gemini_is_asked_where_it_may_be_and_each_failure_is_told(home, url):
    with client(url) as http:
        refused = http.post("/query", json={**QUESTION, "model": "gemini"})
    assert refused.status_code == 403
    assert "i_may_send_this_code" in refused.json()["remedy"]

    replies = {
        "links": (Reply(text="It splits [here](https://evil.example)."), 200, "It splits"),
        "blocked": (Reply(gemini_finish="SAFETY"), 200, "safety filter"),
        "recited": (Reply(gemini_finish="RECITATION"), 200, "recited"),
        "empty": (Reply(text=""), 200, "empty answer"),
        "cut": (Reply(text="It adds", gemini_finish="MAX_TOKENS"), 200, "It adds"),
        "refused": (Reply(status=400, message="bad"), 403, ""),
        "many": (Reply(status=429), 502, ""),
        "broken": (Reply(status=500), 502, ""),
        "reset": (Reply(reset=True), 502, ""),
    }

    def reply(prompt: str, number: int) -> Reply:
        del number
        return next(found[0] for word, found in replies.items() if f"about {word}" in prompt)

    with ModelServer(reply) as server:
        answering = AnsweringSettings(
            i_may_send_this_code=True, gemini_url=server.url, timeout_seconds=10
        )
        environ = {"GEMINI_API_KEY": "k" * 20}
        with (
            service(home, Settings(answering=answering), environ=environ) as asked,
            client(asked) as http,
        ):
            assert http.get("/models/info").json()["default"] == "gemini"
            for word, (_, status, text) in replies.items():
                answer = http.post("/query", json={"q": f"split_header: tell about {word}"})
                assert answer.status_code == status, (word, answer.text)
                assert "k" * 20 not in answer.text
                if answer.is_success:
                    assert text in answer.json()["answer"]
                    assert "](https" not in answer.json()["answer"]
    assert server.keys == ["k" * 20] * len(server.keys)


def test_a_server_of_openais_protocol_is_one_more_model_where_it_is_named(home, url):
    with client(url) as http:
        refused = http.post("/query", json={**QUESTION, "model": "openai"})
        assert "openai" not in {one["id"] for one in http.get("/models/info").json()["models"]}
        assert 'value="openai"' not in http.get("/").text
    assert refused.status_code == 403
    assert "answering.openai.base_url" in refused.json()["remedy"]

    with ModelServer(lambda prompt, number: Reply(text="It splits.")) as server:
        named = OpenAISettings(base_url=f"{server.url}/v1", model="some-model", key_variable="KEY")
        settings = Settings(answering=AnsweringSettings(openai=named))
        with service(home, settings, environ={"KEY": "k3y"}) as asked, client(asked) as http:
            told = _ask(http, "query", model="openai").json()
            assert (told["answer"], told["model"]) == ("It splits.", "some-model")
            assert told["sources"][0]["symbol"] == "split_header"
            chat = _ask(http, "chat", model="openai").json()
            assert chat["choices"][0]["message"]["content"] == "It splits."
            assert "It splits." in _ask(http, "chat", model="openai", stream=True).text
            completed = _ask(http, "completion", model="openai")
            assert completed.status_code == 404
            assert "completes no text" in completed.json()["error"]["message"]
            assert "openai" in {one["id"] for one in http.get("/v1/models").json()["data"]}
            (info,) = [
                one for one in http.get("/models/info").json()["models"] if one["id"] == "openai"
            ]
            assert (info["available"], info["version"]) == (True, "some-model")
            assert 'value="openai"' in http.get("/").text
            assert "some-model" in http.get("/ui/models").text
    assert "def split_header" in server.prompts[0]
    assert server.keys == ["Bearer k3y"] * 3


def test_a_server_elsewhere_is_sent_code_only_where_it_may_be(home):
    named = OpenAISettings(base_url="https://models.example/v1", model="some-model")
    settings = Settings(answering=AnsweringSettings(openai=named))
    with service(home, settings) as url, client(url) as http:
        refused = _ask(http, "query", model="openai")
        assert refused.status_code == 403
        assert "models.example would be sent the code" in refused.json()["detail"]
        assert "i_may_send_this_code" in refused.json()["remedy"]
        info = {one["id"]: one for one in http.get("/models/info").json()["models"]}
        assert not info["openai"]["available"]


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


FORMS = {
    "query": ("/query", QUESTION),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION["q"]}]}),
    "completion": ("/v1/completions", {"prompt": "def split_header(line):"}),
}


def _ask(http, form, timeout=120.0, **more):
    path, body = FORMS[form]
    return http.post(path, json={"model": "base", **body, **more}, timeout=timeout)


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
        admitted = [many.submit(_ask, http, form, **more) for form, more in some[:most]]
        try:
            assert _until(lambda: _questions(http, "under_way") == most)
            assert _until(lambda: len(searched) == 4)
            others = [many.submit(_ask, http, form, **more) for form, more in some[most:]]
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
        assert _ask(http, "query").status_code == 200


def test_what_waits_is_counted_and_every_end_is_too(home):
    slow = Slow()
    settings = Settings(variants={"main": {}, "rust": {}})
    with (
        service(home, settings, load=lambda _: {"fine-tuned": slow, "base": slow}) as url,
        client(url) as http,
    ):
        with ThreadPoolExecutor(4) as many:
            first = many.submit(_ask, http, "query")
            assert _until(lambda: slow.began)
            others = [many.submit(_ask, http, form) for form in FORMS]
            assert _until(lambda: _questions(http, "waiting") == 3)
            assert _questions(http, "under_way") == 4
            slow.go.set()
            assert {one.result().status_code for one in (first, *others)} == {200}
        for form in ("chat", "completion"):
            assert _ask(http, form, model="fine-tuned:rust", stream=True).status_code == 404
            assert _ask(http, form, model="gemini", stream=True).status_code == 403
        slow.go.clear()
        for form in FORMS:
            more = {} if form == "query" else {"stream": True}
            with pytest.raises(httpx.ReadTimeout):
                _ask(http, form, timeout=0.5, **more)
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
            first = many.submit(_ask, http, "query", model="fine-tuned")
            assert _until(lambda: models[VERSION].began)
            waiting = many.submit(_ask, http, "query", model="fine-tuned")
            others = [many.submit(_ask, http, form, stream=True) for form in ("chat", "completion")]
            assert _until(lambda: _questions(http, "waiting") == 3)
            make_version(own, NEWER, starter_folder(), name="starter")
            newer = many.submit(_ask, http, "query", model="fine-tuned")
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
            asked = [many.submit(_ask, http, "query", model="fine-tuned"),
                     many.submit(_ask, http, "chat", stream=True)]  # fmt: skip
            assert _until(lambda: len(searched) == 2)
            make_version(own, NEWER, starter_folder(), name="starter")
            assert _ask(http, "completion").status_code == 200
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
            first = many.submit(_ask, http, "query")
            assert _until(lambda: models[VERSION].began)
            waiting = {form: many.submit(_ask, http, form) for form in FORMS}
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

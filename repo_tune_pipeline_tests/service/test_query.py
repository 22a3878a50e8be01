"""`/query`: answers over what is found, for many at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from repo_tune_pipeline.models.protocol import Answer
from repo_tune_pipeline.settings import AnsweringSettings, ServiceSettings, Settings
from repo_tune_pipeline_tests.model_server import Answer as Reply
from repo_tune_pipeline_tests.model_server import ModelServer
from repo_tune_pipeline_tests.service.serving import VERSION, client, service

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


class Slow:
    """A model that answers when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.dropped = 0

    def has_room(self, prompt, max_tokens):
        return True

    def answer(self, prompts, *, max_tokens, follow=None):
        while not self.go.wait(0.02):
            if all(follow.is_over(row) for row in range(len(prompts))):
                self.dropped += len(prompts)
                break
        return [Answer("It splits.", 10, 3, finished=True) for _ in prompts]


def test_beyond_the_bound_a_question_is_turned_away_at_once(home):
    slow = Slow()
    settings = Settings(service=ServiceSettings(max_waiting=4))
    with (
        service(home, settings, load=lambda _: {"fine-tuned": slow, "base": slow}) as url,
        ThreadPoolExecutor(16) as many,
        client(url) as http,
    ):
        waiting = [many.submit(http.post, "/query", json=QUESTION) for _ in range(16)]
        busy = [one for one in waiting if _ended(one, 5)]
        slow.go.set()
        answers = [one.result() for one in waiting]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert len(busy) >= 4
        for one in busy:
            assert one.result().status_code == 503
            assert int(one.result().headers["retry-after"]) >= 1


def test_who_goes_away_is_not_answered_for(home):
    slow = Slow()
    with service(home, load=lambda _: {"fine-tuned": slow}) as url:
        with client(url) as http, pytest.raises(Exception, match="timed out"):
            http.post("/query", json=QUESTION, timeout=1.5)
        end = time.monotonic() + 5
        while not slow.dropped and time.monotonic() < end:
            time.sleep(0.05)
        assert slow.dropped == 1


def _ended(one, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if one.done():
            return True
        time.sleep(0.01)
    return False

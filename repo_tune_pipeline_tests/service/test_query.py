"""`/query`: answers over what is found."""

from __future__ import annotations

import pytest

from repo_tune_pipeline.settings import AnsweringSettings, OpenAISettings, Settings
from repo_tune_pipeline_tests.model_server import Answer as Reply
from repo_tune_pipeline_tests.model_server import ModelServer
from repo_tune_pipeline_tests.service.serving import (
    QUESTION,
    VERSION,
    ask,
    client,
    service,
)


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
            told = ask(http, "query", model="openai").json()
            assert (told["answer"], told["model"]) == ("It splits.", "some-model")
            assert told["sources"][0]["symbol"] == "split_header"
            chat = ask(http, "chat", model="openai").json()
            assert chat["choices"][0]["message"]["content"] == "It splits."
            assert "It splits." in ask(http, "chat", model="openai", stream=True).text
            completed = ask(http, "completion", model="openai")
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
        refused = ask(http, "query", model="openai")
        assert refused.status_code == 403
        assert "models.example would be sent the code" in refused.json()["detail"]
        assert "i_may_send_this_code" in refused.json()["remedy"]
        info = {one["id"]: one for one in http.get("/models/info").json()["models"]}
        assert not info["openai"]["available"]

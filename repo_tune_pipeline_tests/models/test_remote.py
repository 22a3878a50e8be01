"""Gemini and servers of OpenAI's protocol as answerers, through their real clients on loopback."""

import pytest

from repo_tune_pipeline.clients import connect
from repo_tune_pipeline.errors import ConfigError, ModelServerError
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.models.remote import RemoteAnswerer
from repo_tune_pipeline_tests.model_server import Answer, ModelServer

PROVIDERS = ("gemini", "openai_api")
QUESTION = Prompt("What does it do?", "def f(): ...")


def answerer(provider: str, server: ModelServer, timeout: float = 5.0) -> RemoteAnswerer:
    client = connect(
        provider,
        model="some-model",
        base_url=server.url if provider == "gemini" else f"{server.url}/v1",
        key_variable="KEY",
        timeout_seconds=timeout,
        environ={"KEY": "secret-key"},
    )
    return RemoteAnswerer(client, first_wait_seconds=0.01)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_question_is_asked_as_training_asks_it(provider):
    with ModelServer(lambda prompt, number: Answer(text="It runs.")) as server:
        (answer,) = answerer(provider, server).answer([QUESTION], max_tokens=50)
    assert (answer.text, answer.finished, answer.refusal) == ("It runs.", True, "")
    assert (answer.prompt_tokens, answer.tokens) == (100, 20)
    assert server.prompts == ["What does it do?\n\ndef f(): ..."]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_the_server_turned_away_is_asked_again(provider, status):
    def reply(prompt: str, number: int) -> Answer:
        return Answer(text="At last.") if number == 3 else Answer(status=status)

    with ModelServer(reply) as server:
        (answer,) = answerer(provider, server).answer([QUESTION], max_tokens=50)
    assert answer.text == "At last."
    assert len(server.prompts) == 3


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("lost", [Answer(reset=True), Answer(text="late", hang_seconds=2.0)])
def test_what_may_have_been_charged_is_not_asked_again(provider, lost):
    with ModelServer(lambda prompt, number: lost) as server:
        asked = answerer(provider, server, timeout=0.5)
        with pytest.raises(ModelServerError, match="may have been charged"):
            asked.answer([QUESTION], max_tokens=50)
    assert len(server.prompts) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_that_never_answers_is_named(provider):
    with (
        ModelServer(lambda prompt, number: Answer(status=503)) as server,
        pytest.raises(ModelServerError, match="some-model gave no answer in 4 attempts") as no,
    ):
        answerer(provider, server).answer([QUESTION], max_tokens=50)
    assert "secret-key" not in str(no.value)
    assert len(server.prompts) == 4


@pytest.mark.parametrize(
    ("provider", "reply", "said"),
    [
        ("gemini", Answer(blocked=True), "safety filter"),
        ("gemini", Answer(text="x", gemini_finish="SAFETY"), "safety filter"),
        ("gemini", Answer(text="x", gemini_finish="RECITATION"), "recited"),
        ("gemini", Answer(text=""), "empty"),
        ("openai_api", Answer(blocked=True), "safety filter"),
        ("openai_api", Answer(text=""), "empty"),
        ("openai_api", Answer(raw=b"{}"), "can't be read"),
    ],
)
def test_a_stop_is_a_clear_answer(provider, reply, said):
    with ModelServer(lambda prompt, number: reply) as server:
        (answer,) = answerer(provider, server).answer([QUESTION], max_tokens=50)
    assert answer.text == ""
    assert said in answer.refusal
    assert len(server.prompts) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_was_cut_says_so(provider):
    cut = Answer(text="It ru", finish="length", gemini_finish="MAX_TOKENS")
    with ModelServer(lambda prompt, number: cut) as server:
        (answer,) = answerer(provider, server).answer([QUESTION], max_tokens=2)
    assert (answer.text, answer.finished) == ("It ru", False)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_key_is_an_error_at_once(provider):
    with (
        ModelServer(lambda prompt, number: Answer(status=403)) as server,
        pytest.raises(ConfigError, match="refused the key"),
    ):
        answerer(provider, server).answer([QUESTION], max_tokens=50)
    assert len(server.prompts) == 1


def test_what_is_asked_on_this_machine_does_not_leave_it_through_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ModelServer(lambda prompt, number: Answer(text="It runs.")) as server:
        (answer,) = answerer("openai_api", server).answer([QUESTION], max_tokens=50)
    assert answer.text == "It runs."

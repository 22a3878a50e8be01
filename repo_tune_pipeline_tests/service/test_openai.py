"""`/v1` through OpenAI's own client, as editors and chat clients use it."""

from __future__ import annotations

import json
import threading
import time
from http.client import HTTPConnection

import openai
import pytest

from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline_tests.service.serving import make_home, service
from repo_tune_pipeline_tests.small_models import build_small_model

FILL = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
ASKED = [{"role": "user", "content": "What does split_header return?"}]


@pytest.fixture(scope="module")
def filler(tmp_path_factory):
    """A service over a base model that knows how to fill gaps."""
    root = tmp_path_factory.mktemp("filler")
    base = build_small_model(root / "base", more_tokens=FILL)
    with service(make_home(root / "home", base)) as url:
        yield url, base


def connect(url: str, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=120)


def test_the_models_are_listed_and_found(url):
    client = connect(url)
    assert {model.id for model in client.models.list()} == {"fine-tuned", "base"}
    assert client.models.retrieve("base").owned_by == "repo-tune"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


@pytest.mark.parametrize("model", ["fine-tuned", "base"])
def test_a_chat_streamed_says_what_it_says_whole(url, model):
    client = connect(url)
    whole = client.chat.completions.create(model=model, messages=ASKED, max_tokens=40)
    said = whole.choices[0].message.content
    assert said
    assert whole.usage.completion_tokens <= 40
    assert whole.sources[0]["symbol"] == "split_header"
    parts = list(
        client.chat.completions.create(model=model, messages=ASKED, max_tokens=40, stream=True)
    )
    assert "".join(part.choices[0].delta.content or "" for part in parts) == said
    assert parts[0].choices[0].delta.role == "assistant"
    assert parts[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert parts[-1].sources[0]["symbol"] == "split_header"


def test_a_conversation_goes_on_with_what_was_said_and_can_do_without_retrieval(url):
    client = connect(url)
    turns = [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "What is a header?"},
        {"role": "assistant", "content": "A name and a value."},
        {"role": "user", "content": [{"type": "text", "text": "And zygomorphic quokkas?"}]},
    ]
    plain = client.chat.completions.create(
        model="base", messages=turns, max_tokens=8, extra_body={"retrieval": False}
    )
    assert plain.sources == []
    assert plain.usage.prompt_tokens > 30
    nothing = client.chat.completions.create(model="base", messages=turns, max_tokens=8)
    assert "Nothing in the ingested repositories" in nothing.choices[0].message.content


def test_a_text_goes_on_as_the_model_alone_would_have_it(url):
    text = "def add(first, second):\n    return"
    client = connect(url)
    whole = client.completions.create(model="base", prompt=text, max_tokens=24)
    parts = client.completions.create(model="base", prompt=text, max_tokens=24, stream=True)
    assert "".join(part.choices[0].text for part in parts) == whole.choices[0].text
    stop = whole.choices[0].text[3:6]
    cut = client.completions.create(model="base", prompt=text, max_tokens=24, stop=[stop])
    assert cut.choices[0].text == whole.choices[0].text.partition(stop)[0]
    assert cut.choices[0].finish_reason == "stop"


def test_a_gap_is_filled_with_the_tokens_that_the_model_knows_for_it(filler):
    url, base = filler
    client = connect(url)
    before, after = "def add(first, second):\n    ", "\n\nprint(add(1, 2))"
    asked = {"model": "base", "prompt": before, "max_tokens": 12}
    filled = client.completions.create(**asked, suffix=after)
    model = load_local_model(base)
    words = [model.count_tokens(text) for text in (before, after)]
    assert filled.usage.prompt_tokens == sum(words) + len(FILL)
    parts = client.completions.create(**asked, suffix=after, stream=True)
    assert "".join(part.choices[0].text for part in parts) == filled.choices[0].text


def test_a_model_without_such_tokens_says_so(url):
    with pytest.raises(openai.NotFoundError, match="filling in the middle"):
        connect(url).completions.create(model="base", prompt="a", suffix="b")


def test_errors_have_the_protocols_form(url, home):
    client = connect(url)
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-4", messages=ASKED)
    assert missing.value.body["code"] == "model_not_found"
    answered = client.chat.completions.create(
        model="base", messages=[*ASKED, {"role": "assistant", "content": "x"}], max_tokens=3
    )
    assert answered.sources
    silent = client.chat.completions.create(
        model="base", messages=[{"role": "user", "content": " "}], max_tokens=3
    )
    assert "Nothing in the ingested repositories" in silent.choices[0].message.content
    with pytest.raises(openai.UnprocessableEntityError, match="messages"):
        client.chat.completions.create(model="base", messages=[])
    with service(home, token="t0ken") as guarded:
        with pytest.raises(openai.AuthenticationError):
            connect(guarded).models.list()
        assert connect(guarded, "t0ken").models.list().data


class Endless:
    """A model that writes the same text on and on, for as long as somebody waits."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.began = threading.Event()
        self.ended = threading.Event()

    def has_room(self, prompt, max_tokens):
        return True

    def answer(self, prompts, *, max_tokens, follow=None):
        self.began.set()
        text = ""
        while not follow.is_over(0):
            text += self._text
            follow.wrote(0, text)
            time.sleep(0.02)
        self.ended.set()
        raise RuntimeError("nobody waits")


def test_a_client_that_goes_away_ends_the_writing_within_a_second(home):
    endless = Endless("on and on\n")
    with service(home, load=lambda _: {"base": endless}) as url:
        stream = connect(url).completions.create(model="base", prompt="go", stream=True)
        next(iter(stream))
        stream.close()
        assert endless.ended.wait(1)


@pytest.mark.parametrize("retrieval", [True, False])
def test_a_client_that_goes_away_before_the_first_line_ends_the_writing(home, retrieval):
    endless = Endless("on and on ")
    body = {"model": "base", "messages": ASKED, "stream": True, "retrieval": retrieval}
    with service(home, load=lambda _: {"base": endless}) as url:
        asking = HTTPConnection(url.removeprefix("http://"))
        headers = {"Content-Type": "application/json"}
        asking.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        assert endless.began.wait(60)
        asking.close()
        assert endless.ended.wait(10)

"""Dense vectors beside the words, from a server that speaks OpenAI's embeddings protocol."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from repo_tune_pipeline.errors import ConfigError, ModelServerError
from repo_tune_pipeline.retrieval import build_index, connect_embedder, index_summary, search
from repo_tune_pipeline.settings import EmbeddingSettings
from repo_tune_pipeline_tests.retrieval.chunks import chunk, many

MEANINGS = (("feline", "cat"), ("canine", "dog"), ("load", "part"))
"""Words that the model takes for the same thing, a direction each."""


class EmbeddingServer:
    """Gives a vector whose numbers count words of one meaning each; fails as it is told to."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.keys: set[str] = set()
        self.failures: list[int] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.keys.add(self.headers.get("Authorization") or "")
                status = owner.failures.pop(0) if owner.failures else 200
                if status == 200:
                    owner.texts += body["input"]
                rows = [
                    {"index": at, "embedding": vector(text)}
                    for at, text in enumerate(body["input"])
                ]
                said = json.dumps({"data": rows[::-1]}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def vector(text: str) -> list[float]:
    return [0.01 + sum(text.lower().count(word) for word in words) for words in MEANINGS]


@pytest.fixture
def server():
    made = EmbeddingServer()
    yield made
    made.close()


@pytest.fixture
def embedder(server, monkeypatch):
    monkeypatch.setenv("EMBEDDING_KEY", "abc")
    return connect_embedder(
        EmbeddingSettings(
            base_url=server.url,
            model="meaning",
            key_variable="EMBEDDING_KEY",
            i_may_send_this_code=True,
            at_once=7,
        )
    )


def test_what_shares_no_word_is_found_by_its_meaning_and_words_weigh_more(
    tmp_path, server, embedder
):
    pets = [
        chunk("feed_cat", "def feed_cat(): ..."),
        chunk("walk_dog", "def walk_dog(): ...", repo="pets/dogs"),
    ]
    build_index(tmp_path, [*many(50), *pets], embedder=embedder)
    assert index_summary(tmp_path).embedding == f"meaning at {server.url}"
    assert server.keys == {"Bearer abc"}
    assert search(tmp_path, "feline") == []
    assert search(tmp_path, "feline", embedder=embedder)[0].symbol == "feed_cat"
    assert search(tmp_path, "canine", repo="pets/dogs", embedder=embedder)[0].symbol == "walk_dog"
    both = search(tmp_path, "walk the feline", limit=2, embedder=embedder)
    assert [hit.symbol for hit in both] == ["walk_dog", "feed_cat"]
    assert both[0].score > both[1].score


def test_only_new_chunks_are_sent_again(tmp_path, server, embedder):
    build_index(tmp_path, many(100), embedder=embedder)
    server.texts.clear()
    added = chunk("feed_cat", "def feed_cat(): ...")
    build_index(tmp_path, [*many(100), added], embedder=embedder)
    assert server.texts == ["pkg/mod.py feed_cat\ndef feed_cat(): ..."]
    assert search(tmp_path, "feline", embedder=embedder)[0].symbol == "feed_cat"
    build_index(tmp_path, [*many(100), added])
    assert index_summary(tmp_path).embedding == ""
    assert search(tmp_path, "feline", embedder=embedder) == []


def test_a_server_that_fails_for_a_while_is_asked_again_and_then_named(
    tmp_path, server, embedder, monkeypatch
):
    monkeypatch.setattr("repo_tune_pipeline.clients.embeddings._FIRST_WAIT", 0.01)
    server.failures += [503, 429]
    build_index(tmp_path, many(3), embedder=embedder)
    before = index_summary(tmp_path)
    server.failures += [500] * 5
    with pytest.raises(ModelServerError, match="meaning at http://127"):
        build_index(tmp_path, many(30), embedder=embedder)
    assert index_summary(tmp_path) == before
    server.failures += [401]
    with pytest.raises(ConfigError, match="refused the key"):
        search(tmp_path, "feline", embedder=embedder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"i_may_send_this_code": False}, "i_may_send_this_code: true"),
        ({"model": ""}, "no `model`"),
        ({"key_variable": "NO_SUCH_KEY"}, "NO_SUCH_KEY is empty"),
    ],
)
def test_no_code_is_sent_before_it_may_be(changes, said):
    whole = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "i_may_send_this_code": True}
    with pytest.raises(ConfigError, match=said):
        connect_embedder(EmbeddingSettings(**{**whole, **changes}))
    assert connect_embedder(EmbeddingSettings()) is None

"""Dense vectors of chunks and questions, from a model that the configuration names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from repo_tune_pipeline.clients.connect import read_key
from repo_tune_pipeline.clients.embeddings import EmbeddingClient
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.settings import EmbeddingSettings

_CHARS = 6_000
"""Of a chunk: embedding models read some 2,000 tokens, and its head says most."""


class Embedder:
    """Vectors of one length; `name` says which model made them, and where it is."""

    def __init__(self, client: EmbeddingClient, at_once: int) -> None:
        self._client = client
        self._at_once = at_once

    @property
    def name(self) -> str:
        return self._client.name

    @property
    def dimensions(self) -> int:
        return self._client.dimensions

    def of_chunks(self, chunks: Sequence[CodeChunk]) -> list[list[float]]:
        """Of where each stands and its text.

        Raises:
            ConfigError, ModelServerError: as from the client.
        """
        texts = [f"{one.path} {one.symbol}\n{one.source}"[:_CHARS] for one in chunks]
        starts = range(0, len(texts), self._at_once)
        return [
            vector for at in starts for vector in self._client.embed(texts[at : at + self._at_once])
        ]

    def of_question(self, question: str) -> list[float]:
        """Raises ConfigError or ModelServerError as from the client."""
        return self._client.embed([question[:_CHARS]])[0]


def connect_embedder(
    settings: EmbeddingSettings, environ: Mapping[str, str] = os.environ
) -> Embedder | None:
    """What the configuration names; None where it names none. Nothing is sent yet.

    Raises:
        ConfigError: the model or the key is missing, or nobody said that the code may be sent.
    """
    if not settings.base_url:
        return None
    if not settings.i_may_send_this_code:
        raise ConfigError(
            f"`retrieval.embedding.base_url` is {settings.base_url}: the code of your repositories "
            "would be sent to it.",
            "Set `retrieval.embedding.i_may_send_this_code: true` if you may, or leave `base_url` "
            "empty.",
        )
    if not settings.model:
        raise ConfigError(
            "`retrieval.embedding` names a `base_url` and no `model`.",
            "Set it to the name that the server lists.",
        )
    key = read_key(settings.key_variable, environ) if settings.key_variable else ""
    client = EmbeddingClient(key, settings.model, settings.base_url, settings.timeout_seconds)
    return Embedder(client, settings.at_once)

"""Vectors of texts, from any server that speaks OpenAI's embeddings protocol."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

from repo_tune_pipeline.clients.base import TryLaterError
from repo_tune_pipeline.clients.openai_api import http_client, post
from repo_tune_pipeline.errors import ConfigError, ModelServerError

_TRIES = 5
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


class EmbeddingClient:
    """One embedding model; a request that failed for a while is made again, since it costs nothing
    to have been made twice but its price.
    """

    def __init__(self, key: str, model: str, base_url: str, timeout_seconds: float) -> None:
        self._model = model
        self._base = base_url.rstrip("/")
        self._client = http_client(key, timeout_seconds)

    @property
    def name(self) -> str:
        """The model and the server: vectors of another one can't be compared with."""
        return f"{self._model} at {self._base}"

    @cached_property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return len(self.embed(["a"])[0])

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order.

        Raises:
            ConfigError: the server refuses the key or the model, or gives no vectors.
            ModelServerError: it doesn't answer, though it was asked five times.
        """
        wait = _FIRST_WAIT
        for tried in range(1, _TRIES + 1):
            try:
                return self._asked(texts)
            except TryLaterError as error:
                if tried == _TRIES:
                    raise ModelServerError(
                        f"The embedding model {self.name} doesn't answer: {error}.",
                        "Run again when it does, or leave `retrieval.embedding.base_url` empty.",
                    ) from None
                time.sleep(min(max(wait, error.wait_seconds), _LONGEST_WAIT))
                wait *= 2
        raise AssertionError("unreachable")

    def _asked(self, texts: Sequence[str]) -> list[list[float]]:
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        response = post(self._client, f"{self._base}/embeddings", body, self._model)
        try:
            rows = cast(list[dict[str, Any]], response.json()["data"])
            vectors = [row["embedding"] for row in sorted(rows, key=lambda row: row["index"])]
            found = [[float(number) for number in vector] for vector in vectors]
        except (ValueError, KeyError, TypeError):
            found = []
        lengths = {len(vector) for vector in found}
        whole = len(found) == len(texts) and len(lengths) == 1 and 0 not in lengths
        if not whole or not all(math.isfinite(number) for row in found for number in row):
            raise ConfigError(
                f"{self._base} gave no vector for each text.",
                "Check that `model` is an embedding model.",
            )
        return found

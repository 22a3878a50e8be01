"""From settings to a client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from repo_tune_pipeline.clients.base import Client
from repo_tune_pipeline.errors import ConfigError

GEMINI_KEY = "GEMINI_API_KEY"
GEMINI_MODEL = "gemini-flash-latest"
"""What REPO_TUNE_GEMINI_MODEL replaces."""


def connect(
    provider: Literal["gemini", "openai_api"],
    *,
    model: str = "",
    base_url: str = "",
    key_variable: str = "",
    timeout_seconds: float = 60,
    environ: Mapping[str, str] = os.environ,
) -> Client:
    """A client of one provider; nothing is sent yet.

    Args:
        provider: Gemini through its own library, or any server that speaks OpenAI's protocol.
        model: empty means Gemini's default; the other has none.
        base_url: the server, up to and with `/v1` for OpenAI's protocol; empty means Gemini's.
        key_variable: the environment variable with the key; a local server needs none.
        timeout_seconds: for one reply.
        environ: where the key is looked up.

    Raises:
        ConfigError: something that the provider needs is missing.
    """
    if provider == "gemini":
        # Imported late: the library takes seconds to load.
        from repo_tune_pipeline.clients.gemini import GeminiClient

        variable = key_variable or GEMINI_KEY
        name = model or gemini_model(environ)
        return GeminiClient(read_key(variable, environ), name, base_url, timeout_seconds)
    from repo_tune_pipeline.clients.openai_api import OpenAIClient

    if not base_url or not model:
        raise ConfigError(
            "The provider openai_api needs `base_url` and `model`.",
            "Set both, such as http://127.0.0.1:8080/v1 and the name that the server lists.",
        )
    key = read_key(key_variable, environ) if key_variable else ""
    return OpenAIClient(key, model, base_url, timeout_seconds)


def gemini_model(environ: Mapping[str, str] = os.environ) -> str:
    """The model that the environment names, or the default."""
    return environ.get("REPO_TUNE_GEMINI_MODEL") or GEMINI_MODEL


def read_key(variable: str, environ: Mapping[str, str]) -> str:
    """Raises ConfigError where the environment variable is empty."""
    key = environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"The environment variable {variable} is empty.", "Set it to the provider's key."
        )
    return key

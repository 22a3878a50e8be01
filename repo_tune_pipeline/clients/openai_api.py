"""Any server that speaks OpenAI's chat protocol: vLLM, llama.cpp, Ollama, the provider itself."""

from __future__ import annotations

from typing import Any, cast

import httpx

from repo_tune_pipeline.clients.base import Finish, Reply, TryLaterError
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.exposure import host_of, is_loopback

_FINISH: dict[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "blocked"}
_LATER = frozenset({408, 409, 425, 429})


class OpenAIClient:
    """One model; its calls may come from several threads. Redirects aren't followed: the key
    would go with them.
    """

    def __init__(self, key: str, model: str, base_url: str, timeout_seconds: float) -> None:
        self._name = model
        self._url = base_url.rstrip("/") + "/chat/completions"
        # What is asked on this machine doesn't leave it through a proxy.
        on_this_machine = is_loopback(host_of(base_url))
        self._client = http_client(key, timeout_seconds, use_proxies=not on_this_machine)

    @property
    def model(self) -> str:
        return self._name

    def ask(self, prompt: str, *, max_tokens: int, as_json: bool = False) -> Reply:
        """One request; see `Client` for what it raises."""
        body: dict[str, Any] = {
            "model": self._name,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        if as_json:
            body["response_format"] = {"type": "json_object"}
        response = post(self._client, self._url, body, self._name)
        try:
            return _reply(response.json())
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return Reply("", "malformed")


def http_client(key: str, timeout_seconds: float, *, use_proxies: bool = True) -> httpx.Client:
    """Sends the key, if there is one; its calls may come from several threads.

    `use_proxies`: those that the environment names.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(headers=headers, timeout=timeout_seconds, trust_env=use_proxies)


def post(client: httpx.Client, url: str, body: dict[str, Any], model: str) -> httpx.Response:
    """One request, answered well.

    Raises:
        ConfigError: what no repetition mends: a wrong key, a model or an address that isn't there.
        TryLaterError: asking again may help.
    """
    try:
        response = client.post(url, json=body)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise ConfigError(f"{url} isn't an address.", "Set `base_url` to http(s)://…/v1.") from None
    except httpx.HTTPError as error:
        unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        raise TryLaterError(
            f"{type(error).__name__} on the way to {url}", maybe_paid=not unsent
        ) from None
    code = response.status_code
    if code in _LATER or code >= 500:
        raise TryLaterError(f"status {code} from {url}", _wait(response))
    if code in (401, 403):
        raise ConfigError(
            f"{url} refused the key.", "Check the environment variable that holds it."
        )
    if code == 404:
        raise ConfigError(
            f"{url} has no model {model}, or no such path.", "Check `base_url` and `model`."
        )
    if code != 200:
        raise ConfigError(
            f"{url} refused the request (status {code}).",
            "Check the model's name and its limits.",
        )
    return response


def _wait(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() else 0.0


def _reply(body: dict[str, Any]) -> Reply:
    choice = cast(dict[str, Any], body["choices"][0])
    text = str(choice["message"].get("content") or "")
    usage = cast(dict[str, Any], body.get("usage") or {})
    counted = (int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))
    finish = _FINISH.get(str(choice.get("finish_reason") or "stop"), "blocked")
    return Reply(text, "empty" if finish == "stop" and not text.strip() else finish, *counted)

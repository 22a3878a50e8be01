"""Gemini, through google-generativeai over REST."""

from __future__ import annotations

import re
import warnings
from typing import Any

import requests

from repo_tune_pipeline.clients.base import Finish, Reply, TryLaterError
from repo_tune_pipeline.errors import ConfigError

with warnings.catch_warnings():
    # It says at import that its successor should be used.
    warnings.simplefilter("ignore")
    import google.generativeai as genai
from google.api_core import exceptions as api
from google.generativeai.types import RequestOptions

_FINISH: dict[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "RECITATION": "recitation",
    "SAFETY": "blocked",
    "BLOCKLIST": "blocked",
    "PROHIBITED_CONTENT": "blocked",
    "SPII": "blocked",
    "MALFORMED_FUNCTION_CALL": "malformed",
}
_DELAY = re.compile(r"retry_delay\s*\{\s*seconds:\s*(\d+)|retryDelay\W+(\d+)")


class GeminiClient:
    """One model; its calls may come from several threads."""

    def __init__(self, key: str, model: str, base_url: str, timeout_seconds: float) -> None:
        self._name = model
        self._timeout = timeout_seconds
        options = {"api_endpoint": base_url} if base_url else None
        genai.configure(api_key=key, transport="rest", client_options=options)  # pyright: ignore[reportPrivateImportUsage]
        self._model = genai.GenerativeModel(model)  # pyright: ignore[reportPrivateImportUsage]

    @property
    def model(self) -> str:
        return self._name

    def ask(self, prompt: str, *, max_tokens: int, as_json: bool = False) -> Reply:
        """One request; see `Client` for what it raises."""
        config: dict[str, Any] = {"temperature": 0.0, "max_output_tokens": max_tokens}
        if as_json:
            config["response_mime_type"] = "application/json"
        try:
            response = self._model.generate_content(
                prompt,
                generation_config=config,  # pyright: ignore[reportArgumentType]
                request_options=RequestOptions(timeout=self._timeout),
            )
        except (api.DeadlineExceeded, api.RetryError) as error:
            raise TryLaterError(f"{type(error).__name__} from Gemini", maybe_paid=True) from None
        except (api.TooManyRequests, api.ServerError) as error:
            # A request that the server fails isn't charged (Gemini API's billing questions).
            raise TryLaterError(f"{type(error).__name__} from Gemini", _delay(error)) from None
        except requests.RequestException as error:
            raise TryLaterError(
                f"{type(error).__name__} on the way to Gemini",
                maybe_paid=not isinstance(error, requests.ConnectTimeout),
            ) from None
        except api.GoogleAPICallError as error:
            raise self._refused(error) from None
        except ValueError:
            raise TryLaterError("an answer from Gemini that isn't JSON", maybe_paid=True) from None
        return _reply(response)

    def _refused(self, error: api.GoogleAPICallError) -> ConfigError:
        if isinstance(error, api.NotFound):
            return ConfigError(
                f"Gemini has no model {self._name}.", "Set `model` to one that your key may use."
            )
        said = str(error.message or "").lower()
        if isinstance(error, api.Unauthorized | api.Forbidden) or "api key" in said:
            return ConfigError(
                "Gemini refused the key.", "Check the environment variable that holds it."
            )
        return ConfigError(
            f"Gemini refused the request ({type(error).__name__}).",
            "Check the model's name and its limits.",
        )


def _delay(error: Exception) -> float:
    found = _DELAY.search(str(error))
    return float(found[1] or found[2]) if found else 0.0


def _reply(response: Any) -> Reply:
    usage = response.usage_metadata
    counted = (
        (int(usage.prompt_token_count), int(usage.candidates_token_count)) if usage else (0, 0)
    )
    if not response.candidates:
        blocked = bool(response.prompt_feedback.block_reason)
        return Reply("", "blocked" if blocked else "empty", *counted)
    candidate = response.candidates[0]
    text = "".join(part.text for part in candidate.content.parts)
    finish = _FINISH.get(candidate.finish_reason.name, "blocked")
    return Reply(text, "empty" if finish == "stop" and not text.strip() else finish, *counted)

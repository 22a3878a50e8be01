"""A model behind a server as an answerer: Gemini, or any server of OpenAI's protocol."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from repo_tune_pipeline.clients import Client, Finish, Reply, TryLaterError
from repo_tune_pipeline.errors import ModelServerError
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.prompting import user_text

ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 30.0
_REFUSALS: dict[Finish, str] = {
    "blocked": "The provider's safety filter stopped the answer.",
    "recitation": "The provider stopped the answer, since it recited a text that it may not.",
    "empty": "The model gave an empty answer.",
    "malformed": "The model gave an answer that can't be read.",
}


class RemoteAnswerer:
    """One question a request, one after the other.

    A request that the server turned away is made again, up to four times and after what it asks
    for. One whose answer was lost may have been charged: it is not.
    """

    def __init__(self, client: Client, *, first_wait_seconds: float = 1.0) -> None:
        self._client = client
        self._first_wait = first_wait_seconds
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        return self._client.model

    def close(self) -> None:
        """Let no question wait any longer."""
        self._closed.set()

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int) -> list[Answer]:
        """An answer to each prompt, in their order; a refusal is an answer without text.

        Raises:
            ConfigError: the server refuses the key, the model or the request.
            ModelServerError: it doesn't answer.
        """
        return [self._one(prompt, max_tokens) for prompt in prompts]

    def _one(self, prompt: Prompt, max_tokens: int) -> Answer:
        problem = "it was closed"
        for attempt in range(ATTEMPTS):
            try:
                text = user_text(prompt.instruction, prompt.input)
                return _answer(self._client.ask(text, max_tokens=max_tokens))
            except TryLaterError as error:
                problem = str(error)
                if error.maybe_paid:
                    raise ModelServerError(
                        f"The answer of {self.name} was lost: {problem}.",
                        "It may have been charged, so the question wasn't asked again. Ask anew if "
                        "you want to.",
                    ) from None
                wait = max(error.wait_seconds, self._first_wait * 2**attempt)
            last = attempt == ATTEMPTS - 1
            if last or self._closed.wait(min(wait, LONGEST_WAIT_SECONDS)):
                break
        raise ModelServerError(
            f"{self.name} gave no answer in {ATTEMPTS} attempts: {problem}.", "Ask again later."
        )


def _answer(reply: Reply) -> Answer:
    refusal = _REFUSALS.get(reply.finish, "")
    return Answer(
        text="" if refusal else reply.text,
        prompt_tokens=reply.input_tokens,
        tokens=reply.output_tokens,
        finished=reply.finish == "stop",
        refusal=refusal,
    )

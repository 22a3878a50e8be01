"""One question to the teacher: kept answers first, then the server, with patience and a budget."""

from __future__ import annotations

import hashlib
import threading

import msgspec

from repo_tune_pipeline.clients import Client, Reply, TryLaterError
from repo_tune_pipeline.errors import TeacherError
from repo_tune_pipeline.sft.teacher.budget import Budget
from repo_tune_pipeline.sft.teacher.prompts import PROMPT_VERSION
from repo_tune_pipeline.shelf import Shelf

ATTEMPTS = 6
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0

_decode = msgspec.msgpack.Decoder(Reply).decode


class Asker:
    """Asks from several threads; each answer is on the shelf before it is used.

    Also a reply that can't be used (blocked, cut off) is kept: it was paid for and would come
    again.
    """

    def __init__(
        self,
        client: Client,
        shelf: Shelf,
        budget: Budget,
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._shelf = shelf
        self._budget = budget
        self._first_wait = first_wait_seconds
        self._stopped = threading.Event()

    def ask(self, prompt: str, max_tokens: int) -> Reply:
        """The reply to `prompt`.

        Raises:
            BudgetSpentError: it isn't kept, and asking could go over the budget.
            TeacherError: no attempt was answered.
            ConfigError: the server refuses the key, the model or the request.
        """
        key = self._key(prompt)
        if kept := self._shelf.get([key]):
            return _decode(kept[key])
        reply = self._sent(prompt, max_tokens)
        self._shelf.put({key: msgspec.msgpack.encode(reply)})
        return reply

    def stop(self) -> None:
        """Let no thread wait any longer."""
        self._stopped.set()

    def _sent(self, prompt: str, max_tokens: int) -> Reply:
        problem = ""
        for attempt in range(ATTEMPTS):
            reserved = self._budget.reserve(prompt, max_tokens)
            reply = None
            try:
                reply = self._client.ask(prompt, max_tokens=max_tokens, as_json=True)
            except TryLaterError as error:
                problem = str(error)
                wait = max(error.wait_seconds, self._first_wait * 2**attempt)
            else:
                return reply
            finally:
                self._budget.settle(reserved, reply)
            if self._stopped.wait(min(wait, LONGEST_WAIT_SECONDS)):
                break
        raise TeacherError(
            f"The teacher {self._client.model} gave no answer in {ATTEMPTS} attempts: {problem}.",
            "Run again later: the answers so far are kept.",
        )

    def _key(self, prompt: str) -> bytes:
        text = "\0".join((PROMPT_VERSION, self._client.model, prompt))
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()

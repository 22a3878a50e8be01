"""What every client gives, and the two ways in which it can't.

A client asks once: it never repeats a request by itself, since only the caller knows its budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Finish = Literal["stop", "length", "blocked", "recitation", "empty", "malformed"]
"""Why a reply ended; only `stop` is a whole answer. `blocked` is a safety stop."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; tokens as the server counted them, 0 where it didn't say."""

    text: str
    finish: Finish
    input_tokens: int = 0
    output_tokens: int = 0


class TryLaterError(Exception):
    """Asking again may help: too many requests, a server's fault, a time-out, a lost connection.

    `wait_seconds` is what the server asked for, or 0. `maybe_paid` says that the request may have
    been answered, and charged, though the answer was lost. Its message holds no key and no prompt.
    """

    def __init__(
        self, message: str, wait_seconds: float = 0.0, *, maybe_paid: bool = False
    ) -> None:
        self.wait_seconds = wait_seconds
        self.maybe_paid = maybe_paid
        super().__init__(message)


class Client(Protocol):
    """A model behind a server.

    `ask` raises TryLaterError, or ConfigError for what no repetition mends: a wrong key, a model
    or an address that doesn't exist.
    """

    @property
    def model(self) -> str: ...

    def ask(self, prompt: str, *, max_tokens: int, as_json: bool = False) -> Reply: ...

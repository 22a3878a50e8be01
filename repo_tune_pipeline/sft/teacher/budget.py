"""How much may be asked: requests, tokens, money; shared by threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from repo_tune_pipeline.clients import Reply
from repo_tune_pipeline.settings import TeacherSettings

CHARS_PER_TOKEN = 3
"""Fewer than text and code have on average (about 4, and 3.3): an estimate that errs high."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was sent and paid for; money in the currency of the configured prices."""

    requests: int
    input_tokens: int
    output_tokens: int
    money: float


class BudgetSpentError(Exception):
    """One more request could go over the limit that the message names."""


class Budget:
    """Reserves before a request is sent what it may cost at most, and settles afterwards."""

    def __init__(self, settings: TeacherSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._requests = self._input = self._output = self._reserved = 0

    def reserve(self, prompt: str, max_tokens: int) -> int:
        """Tokens set aside for one request, to be handed to `settle`.

        Raises:
            BudgetSpentError: it could go over a limit; nothing is set aside.
        """
        limits = self._settings
        wanted = len(prompt) // CHARS_PER_TOKEN + max_tokens
        with self._lock:
            if self._requests >= limits.max_requests:
                raise BudgetSpentError(f"max_requests ({limits.max_requests:,})")
            if self._input + self._output + self._reserved + wanted > limits.max_tokens:
                raise BudgetSpentError(f"max_tokens ({limits.max_tokens:,})")
            dearest = max(limits.price_input, limits.price_output)
            at_most = self._money() + (self._reserved + wanted) * dearest / 1e6
            if limits.max_money is not None and at_most > limits.max_money:
                raise BudgetSpentError(f"max_money ({limits.max_money:g})")
            self._requests += 1
            self._reserved += wanted
        return wanted

    def settle(self, reserved: int, reply: Reply | None) -> None:
        """Replace what was set aside by what the reply cost; None where there was none."""
        with self._lock:
            self._reserved -= reserved
            if reply is not None:
                self._input += reply.input_tokens
                self._output += reply.output_tokens

    def spent(self) -> Spent:
        with self._lock:
            return Spent(self._requests, self._input, self._output, self._money())

    def _money(self) -> float:
        prices = self._settings
        return (self._input * prices.price_input + self._output * prices.price_output) / 1e6

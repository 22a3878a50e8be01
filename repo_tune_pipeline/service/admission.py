"""How many questions may be under way at once, whoever asks and whichever model is asked."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from repo_tune_pipeline.errors import BusyError
from repo_tune_pipeline.models.queue import MOST_TOGETHER
from repo_tune_pipeline.settings import ServiceSettings

_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 60.0
"""Seconds that a caller who is turned away is told to wait."""


def most_under_way(settings: ServiceSettings) -> int:
    """Those that wait, and one batch that is being answered."""
    return settings.max_waiting + MOST_TOGETHER


class Admission:
    """A place for each question from before its search until its answer, and no more of them.

    For one thread: the event loop's.

    Args:
        most: questions under way; more are turned away.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way = 0
        self._last_seconds = 5.0

    @property
    def under_way(self) -> int:
        """Questions that are searched for, wait, or are being answered."""
        return self._under_way

    @contextmanager
    def admitted(self) -> Generator[None]:
        """A place for one question.

        Raises:
            BusyError: all are taken. To be asked again after about as long as the last one took.
        """
        if self._under_way >= self._most:
            wait = min(max(_SHORTEST_WAIT, self._last_seconds), _LONGEST_WAIT)
            raise BusyError(f"{self._under_way} questions are being answered.", wait)
        self._under_way += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self._under_way -= 1
            self._last_seconds = time.monotonic() - began

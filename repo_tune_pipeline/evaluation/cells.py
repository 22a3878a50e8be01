"""Who answers, and what it is given beside the question."""

from __future__ import annotations

from typing import NamedTuple

PLAIN, RETRIEVAL = "plain", "retrieval"
BASE, ADAPTER, PLACEBO, GEMINI = "base", "adapter", "placebo", "gemini"


class Cell(NamedTuple):
    """A model in a context; `report.json` has its numbers under these two keys."""

    model: str
    context: str

    @property
    def title(self) -> str:
        """As a person reads it: ``adapter with retrieval``."""
        return self.model if self.context == PLAIN else f"{self.model} with retrieval"


BASE_PLAIN = Cell(BASE, PLAIN)
ADAPTER_PLAIN = Cell(ADAPTER, PLAIN)
PLACEBO_PLAIN = Cell(PLACEBO, PLAIN)
BASE_RETRIEVAL = Cell(BASE, RETRIEVAL)
ADAPTER_RETRIEVAL = Cell(ADAPTER, RETRIEVAL)
GEMINI_RETRIEVAL = Cell(GEMINI, RETRIEVAL)

CELLS = (
    BASE_PLAIN,
    ADAPTER_PLAIN,
    PLACEBO_PLAIN,
    BASE_RETRIEVAL,
    ADAPTER_RETRIEVAL,
    GEMINI_RETRIEVAL,
)

COMPARED = (
    (ADAPTER_PLAIN, BASE_PLAIN),
    (ADAPTER_PLAIN, PLACEBO_PLAIN),
    (ADAPTER_RETRIEVAL, BASE_RETRIEVAL),
    (ADAPTER_PLAIN, BASE_RETRIEVAL),
    (BASE_RETRIEVAL, BASE_PLAIN),
    (ADAPTER_RETRIEVAL, ADAPTER_PLAIN),
    (ADAPTER_RETRIEVAL, GEMINI_RETRIEVAL),
)
"""Minuend and subtrahend of each difference."""

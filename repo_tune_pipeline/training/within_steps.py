"""Which examples are put before a trainer that stops before it has read them all."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from repo_tune_pipeline.training.examples import TrainingExample

_SPARE = 1.05
"""Some prove too long for the model and are left out."""


def step_rows(recipe: Mapping[str, Any], processes: int) -> int:
    """Rows that one optimizer step reads."""
    parts = int(recipe.get("gradient_accumulation_steps") or 1)
    return int(recipe.get("micro_batch_size") or 1) * parts * processes


def reached_by(examples: int, replay: float, recipe: Mapping[str, Any], processes: int) -> int:
    """How many of so many examples `max_steps` leave time for, beside their `replay`.

    Where rows hold several examples each (`sample_packing`), all: only the trainer knows how many
    fill a row.
    """
    ceiling = int(recipe.get("max_steps") or 0)
    if not ceiling or recipe.get("sample_packing"):
        return examples
    rows = _SPARE * ceiling * step_rows(recipe, processes)
    return min(examples, math.ceil(rows / (1 + replay)))


def drawn(examples: Sequence[TrainingExample], count: int) -> list[TrainingExample]:
    """So many of them, in their order; by a hash, so that a changed file changes few."""
    by_hash = sorted(
        range(len(examples)), key=lambda at: hashlib.sha256(examples[at].line).digest()
    )
    return [examples[at] for at in sorted(by_hash[:count])]

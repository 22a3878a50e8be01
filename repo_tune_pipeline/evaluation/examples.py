"""The examples worth a person's look: where the adapter gained most, and where it lost most."""

from __future__ import annotations

import math
from collections.abc import Sequence

from repo_tune_pipeline.evaluation.predictions import Prediction

SHOWN = 5


def gained_bits(prediction: Prediction) -> float:
    """Bits per byte that the adapter saves on one example."""
    saved = prediction.nats["base"] - prediction.nats["adapter"]
    return saved / math.log(2) / prediction.bytes


def gained_similarity(prediction: Prediction) -> float:
    """Edit similarity that the adapter's completion gains; 0 where none was generated."""
    judged = prediction.judged
    return judged["adapter"].similarity - judged["base"].similarity if judged else 0.0


def best_and_worst(
    predictions: Sequence[Prediction],
) -> tuple[list[Prediction], list[Prediction]]:
    """Up to five examples at either end, none in both, the most telling first.

    Ranked by what is seen, the gain in edit similarity, then by bits per byte. Where completions
    were generated only those count, because only they have answers to show.
    """
    generated = [one for one in predictions if one.judged]
    ranked = sorted(
        generated or predictions,
        key=lambda one: (gained_similarity(one), gained_bits(one), one.example.meta.id),
        reverse=True,
    )
    shown = min(SHOWN, max(1, len(ranked) // 2))
    best = ranked[:shown]
    return best, ranked[shown:][::-1][:shown]

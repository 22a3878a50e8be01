"""The examples worth a person's look: where the adapter gained most, and where it lost most."""

from __future__ import annotations

from collections.abc import Sequence

from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN, Cell
from repo_tune_pipeline.evaluation.predictions import Prediction

SHOWN = 5
_CELLS = (BASE_PLAIN, ADAPTER_PLAIN)


def gained_bits(prediction: Prediction) -> float:
    """Bits per byte that the adapter saves on one example."""
    base, adapter = (prediction.outcomes[cell].terms["bits_per_byte"] for cell in _CELLS)
    return (base[0] - adapter[0]) / base[1]


def gained_similarity(prediction: Prediction) -> float:
    """Edit similarity that the adapter's completion gains; 0 where none was generated."""
    base, adapter = (similarity(prediction, cell) for cell in _CELLS)
    return 0.0 if base is None or adapter is None else adapter - base


def similarity(prediction: Prediction, cell: Cell) -> float | None:
    """Edit similarity of one cell's completion; None where there is none."""
    terms = prediction.outcomes[cell].terms.get("whole_similarity")
    return None if terms is None else terms[0]


def best_and_worst(
    predictions: Sequence[Prediction],
) -> tuple[list[Prediction], list[Prediction]]:
    """Up to five examples at either end, none in both, the most telling first.

    Ranked by what is seen, the gain in edit similarity, then by bits per byte. Where completions
    were generated only those count, because only they have answers to show.
    """
    generated = [one for one in predictions if similarity(one, ADAPTER_PLAIN) is not None]
    ranked = sorted(
        generated or predictions,
        key=lambda one: (gained_similarity(one), gained_bits(one), one.example.meta.id),
        reverse=True,
    )
    shown = min(SHOWN, max(1, len(ranked) // 2))
    best = ranked[:shown]
    return best, ranked[shown:][::-1][:shown]

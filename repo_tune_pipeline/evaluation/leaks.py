"""Did the adapter learn what it is judged on?

Three signs. The version's own record of what it learned names a held-out example or its file. It
gives back held-out text word for word, which the base doesn't. Or it gained more on held-out code
than on the code that it was trained on, and so must have been trained on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN
from repo_tune_pipeline.evaluation.memorisation import Recited
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.training import Learned

MOST_RECITED = 2
"""Held-out texts that may be given back by chance: licences and other set pieces are."""
LEAST_EXCESS = 0.03
"""Of the base's bits per byte; and at least half of what was gained on training code."""
_LEAST_FILES = 5


@dataclass(frozen=True, slots=True)
class Leaks:
    """`learned` of the held-out examples; None where the version kept no record.

    `excess` is how much more of the base's bits per byte the adapter saved on held-out code than
    on code that it learned from, from `low` to `high` with 95 %; None where there is too little.
    `gained` is what it saved on the latter.
    """

    learned: int | None
    recited: int
    excess: float | None = None
    low: float = 0.0
    high: float = 0.0
    gained: float = 0.0

    @property
    def found(self) -> list[str]:
        """One sentence for each sign; none where there is no sign."""
        told: list[str] = []
        if self.learned:
            told.append(f"it learned from {self.learned} of the held-out examples or their files")
        if self.recited > MOST_RECITED:
            told.append(f"it gives back {self.recited} held-out texts word for word")
        least = max(LEAST_EXCESS, self.gained / 2)
        if self.excess is not None and self.excess > least and self.low > 0:
            told.append(
                "it gained more on held-out code than on the code that it was trained on "
                f"({100 * self.excess:.0f} % of the base's bits per byte)"
            )
        return told

    def as_dict(self) -> dict[str, Any]:
        return {
            "learned": self.learned,
            "recited": self.recited,
            "excess": self.excess,
            "low": self.low,
            "high": self.high,
            "gained": self.gained,
            "found": self.found,
        }


def find_leaks(
    heldout: Sequence[SftExample],
    learned: Learned | None,
    predictions: Sequence[Prediction],
    trained: Sequence[Prediction],
    recited: Recited,
    *,
    resamples: int,
    seed: int,
) -> Leaks:
    """Look for each sign.

    Args:
        heldout: every held-out example of the variant.
        learned: what the version says that it learned.
        predictions: on held-out examples, in the plain cells.
        trained: on training examples, likewise.
        recited: of held-out texts.
        resamples: how often is drawn, for the interval.
        seed: of the draws.
    """
    there = None if learned is None else sum(map(learned.knows, heldout))
    return Leaks(
        there,
        recited.by_adapter_alone,
        *_excess(_savings(predictions), _savings(trained), resamples, seed),
    )


def _savings(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """(bits saved, bits of the base) on the completions of each file: they have no form to be
    learned, and those of one file aren't independent.
    """
    files: dict[tuple[str, str], list[float]] = {}
    for one in predictions:
        base = one.outcomes[BASE_PLAIN].terms.get("bits_per_byte")
        adapter = one.outcomes[ADAPTER_PLAIN].terms.get("bits_per_byte")
        if one.example.meta.task == "code_completion" and base and adapter:
            sums = files.setdefault(one.file, [0.0, 0.0])
            sums[0] += base[0] - adapter[0]
            sums[1] += base[0]
    return np.array(list(files.values()), dtype=float).reshape(-1, 2)


def _excess(
    heldout: NDArray[np.float64], trained: NDArray[np.float64], resamples: int, seed: int
) -> tuple[float | None, float, float, float]:
    if min(len(heldout), len(trained)) < _LEAST_FILES:
        return None, 0.0, 0.0, 0.0
    rng = np.random.default_rng(seed)

    def drawn(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = rows[rng.integers(0, len(rows), (resamples, len(rows)))].sum(1)
        return sums[:, 0] / sums[:, 1]

    apart = drawn(heldout) - drawn(trained)
    low, high = np.percentile(apart, [2.5, 97.5])
    gained = float(trained.sum(0)[0] / trained.sum(0)[1])
    saved = float(heldout.sum(0)[0] / heldout.sum(0)[1])
    return saved - gained, float(low), float(high), gained

"""Whether the adapter should take the base model's place, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from repo_tune_pipeline.evaluation.comparison import Comparison, Difference
from repo_tune_pipeline.evaluation.metrics import ALL
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.wording import counted, signed

DECISIVE_METRIC = "bits_per_byte"
MIN_EXAMPLES = 20
MIN_FILES = 8
"""With fewer, a percentile interval is too narrow (see `bootstrap`), so nothing is decided."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision and its reasons, whole sentences."""

    decision: Literal["promote", "hold"]
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return {"decision": self.decision, "reasons": list(self.reasons)}


def decide(predictions: Sequence[Prediction], comparison: Comparison) -> Verdict:
    """Promote if bits per byte over all tasks are surely lower, on enough examples and files."""
    examples, files = len(predictions), len({one.file for one in predictions})
    lacking = [
        f"Only {counted(have, what)} could be compared; a decision needs at least {least}."
        for have, what, least in (
            (examples, "held-out example", MIN_EXAMPLES),
            (files, "held-out file", MIN_FILES),
        )
        if have < least
    ]
    difference = comparison.difference(ALL, DECISIVE_METRIC)
    if difference is None:
        return Verdict("hold", tuple(lacking))
    base = float(comparison.cells["base"][ALL][DECISIVE_METRIC]["value"])
    finding = _finding(difference, base, examples, files)
    if difference.direction == "better" and not lacking:
        return Verdict("promote", (finding,))
    return Verdict("hold", (*lacking, finding))


def _finding(difference: Difference, base: float, examples: int, files: int) -> str:
    interval = difference.interval
    on = f"On {counted(examples, 'held-out example')} from {counted(files, 'file')}"
    bounds = f"95 % interval of the difference {signed(interval.low)} to {signed(interval.high)}"
    if difference.direction == "undecided":
        return (
            f"{on} the difference between adapter and base can't be told from zero: "
            f"{signed(interval.difference)} bits per byte ({bounds})."
        )
    more = "fewer" if interval.difference < 0 else "more"
    share = 100 * abs(interval.difference) / base
    return (
        f"{on} the adapter needs {abs(interval.difference):.3f} bits per byte {more} than the "
        f"base model, {share:.1f} % ({bounds})."
    )

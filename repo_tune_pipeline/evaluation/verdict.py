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
FORMLESS = "code_completion"
"""Its answers are the repository's code itself. In other tasks an adapter also learns the form of
an answer, and learns it from wrong answers too: they alone would promote one that knows nothing.
"""
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
    """Promote if bits per byte are surely lower, over all tasks and on code alone.

    Nothing is decided on too few examples or files; code alone is asked where there are enough.
    """
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
    findings = [_finding(difference, _base(comparison, ALL), examples, files)]
    decisive = [difference]
    code = comparison.difference(FORMLESS, DECISIVE_METRIC)
    if code is not None and code.interval.n >= MIN_EXAMPLES and code.interval.n < examples:
        decisive.append(code)
        findings.append(_on_code(code, _base(comparison, FORMLESS)))
    if all(each.direction == "better" for each in decisive) and not lacking:
        return Verdict("promote", tuple(findings))
    return Verdict("hold", (*lacking, *findings))


def _base(comparison: Comparison, task: str) -> float:
    return float(comparison.cells["base"][task][DECISIVE_METRIC]["value"])


def _on_code(difference: Difference, base: float) -> str:
    interval = difference.interval
    bounds = f"{signed(interval.low)} to {signed(interval.high)}"
    on = f"On the {counted(interval.n, 'completion')} among them, whose answers are code alone,"
    if difference.direction == "undecided":
        zero = f"the difference can't be told from zero: {signed(interval.difference)}"
        return f"{on} {zero} ({bounds})."
    more = "fewer" if interval.difference < 0 else "more"
    share = 100 * abs(interval.difference) / base
    return f"{on} it needs {abs(interval.difference):.3f} {more}, {share:.1f} % ({bounds})."


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

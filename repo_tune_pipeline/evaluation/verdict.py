"""Whether the adapter should take the champion's place, and why, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN, PLACEBO_PLAIN
from repo_tune_pipeline.evaluation.comparison import Comparison, Difference
from repo_tune_pipeline.evaluation.leaks import Leaks
from repo_tune_pipeline.evaluation.metrics import ALL
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.wording import counted, signed
from repo_tune_pipeline.settings import PromotionSettings

DECISIVE_METRIC = "bits_per_byte"
FORMLESS = "code_completion"
"""Its answers are the repository's code itself. In other tasks an adapter also learns the form of
an answer, and learns it from wrong answers too: they alone would promote one that knows nothing.
"""
_NOT_COMPARED = (
    "Served can't be compared with what was trained: the version holds no answers of the model as "
    "it was trained. Train it again; with `fsdp_config` or `deepspeed` none are kept."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was asked of the adapter: whether it holds, and a whole sentence on it."""

    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision and its reasons, whole sentences; what stands against it comes first."""

    decision: Literal["promote", "hold"]
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return {"decision": self.decision, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Controls:
    """What was measured beside the comparison, as `report.json` holds it; empty where it wasn't."""

    leaks: Leaks | None = None
    general: Mapping[str, Any] | None = None
    memorisation: Mapping[str, Any] | None = None
    parity: Mapping[str, Any] | None = None


def decide(
    predictions: Sequence[Prediction],
    comparison: Comparison,
    settings: PromotionSettings,
    controls: Controls,
) -> Verdict:
    """Promote if bits per byte are surely and sufficiently lower, and nothing stands against it.

    Lower than the base's over all tasks and on code alone, and than the placebo's where there is
    one. Nothing is decided on too few examples or files; code alone is asked where there
    are enough. What is served has to have been compared with what was trained.
    """
    findings = [
        *_void(controls),
        *_enough(predictions, settings),
        *_better_than_base(predictions, comparison, settings),
        *_better_than_placebo(comparison, settings),
        *_forgotten(controls, settings),
        *_recited(controls, settings),
    ]
    against = [one.sentence for one in findings if not one.holds]
    promoted = not against and any(one.holds for one in findings)
    reasons = (*against, *(one.sentence for one in findings if one.holds))
    return Verdict("promote" if promoted else "hold", reasons)


def _enough(predictions: Sequence[Prediction], settings: PromotionSettings) -> list[Finding]:
    examples, files = len(predictions), len({one.file for one in predictions})
    asked = (
        (examples, "held-out example", settings.min_examples),
        (files, "held-out file", settings.min_files),
    )
    return [
        Finding(
            False,
            f"Only {counted(have, what)} could be compared; a decision needs at least {least}.",
        )
        for have, what, least in asked
        if have < least
    ]


def _better_than_base(
    predictions: Sequence[Prediction], comparison: Comparison, settings: PromotionSettings
) -> list[Finding]:
    whole = comparison.difference(ALL, DECISIVE_METRIC)
    if whole is None:
        return []
    base = comparison.value(BASE_PLAIN, ALL, DECISIVE_METRIC) or 0.0
    examples, files = len(predictions), len({one.file for one in predictions})
    on = f"On {counted(examples, 'held-out example')} from {counted(files, 'file')}"
    found = [_finding(f"{on} the adapter", "the base model", whole, base, settings)]
    code = comparison.difference(FORMLESS, DECISIVE_METRIC)
    if code is not None and settings.min_examples <= code.interval.n < examples:
        among = counted(code.interval.n, "completion")
        base = comparison.value(BASE_PLAIN, FORMLESS, DECISIVE_METRIC) or 0.0
        subject = f"On the {among} among them, whose answers are code alone, it"
        found.append(_finding(subject, "the base model", code, base, None))
    return found


def _better_than_placebo(comparison: Comparison, settings: PromotionSettings) -> list[Finding]:
    apart = comparison.difference(ALL, DECISIVE_METRIC, ADAPTER_PLAIN, PLACEBO_PLAIN)
    placebo = comparison.value(PLACEBO_PLAIN, ALL, DECISIVE_METRIC)
    if apart is None or placebo is None or not settings.beyond_placebo:
        return []
    other = "the placebo, which was trained alike on other code"
    return [_finding("The adapter", other, apart, placebo, None)]


def _finding(
    subject: str,
    other: str,
    difference: Difference,
    reference: float,
    smallest: PromotionSettings | None,
) -> Finding:
    """One sentence on a difference; with `smallest`, it also has to be worth having."""
    interval = difference.interval
    bounds = f"95 % interval {signed(interval.low)} to {signed(interval.high)}"
    if difference.direction == "undecided":
        told = (
            f"{subject} can't be told from {other}: the difference is "
            f"{signed(interval.difference)} bits per byte ({bounds})."
        )
        return Finding(False, f"{told}{_too_little(difference, reference, smallest)}")
    share = interval.difference / reference
    more = "fewer" if share < 0 else "more"
    sentence = (
        f"{subject} needs {abs(interval.difference):.3f} bits per byte {more} than {other}, "
        f"{100 * abs(share):.1f} % ({bounds})."
    )
    if difference.direction == "better" and smallest and -share < smallest.smallest_difference:
        least = f"less than the {100 * smallest.smallest_difference:g} % that are worth having"
        return Finding(False, f"{sentence[:-1]}: {least}.")
    return Finding(difference.direction == "better", sentence)


def _too_little(
    difference: Difference, reference: float, smallest: PromotionSettings | None
) -> str:
    """What it would take to see the smallest difference that matters, where there is less."""
    if smallest is None:
        return ""
    interval, share = difference.interval, smallest.smallest_difference
    needed = interval.needed_clusters(share * reference)
    if needed <= interval.clusters:
        return ""
    return (
        f" To see a difference of {100 * share:g} % takes about {counted(needed, 'file')} like "
        "these: there is too little to judge by."
    )


def _void(controls: Controls) -> list[Finding]:
    """What makes every number void: it knew the answers, or isn't the one that is served."""
    signs = controls.leaks.found if controls.leaks else []
    seen = [Finding(False, f"The adapter has seen what it is judged on: {sign}.") for sign in signs]
    return [*seen, *_parity(controls)]


def _forgotten(controls: Controls, settings: PromotionSettings) -> list[Finding]:
    found: list[Finding] = []
    everything = (controls.general or {}).get("all", {})
    if "change" in everything:
        change = float(everything["change"])
        more = "more" if change > 0 else "fewer"
        share = f"{100 * abs(change):.1f} % {more}"
        text = f"On code and prose from elsewhere it needs {share} bits per byte"
        kept = change <= settings.max_general_loss
        limit = "" if kept else f", and {100 * settings.max_general_loss:g} % more are allowed"
        found.append(Finding(kept, f"{text} than the base model{limit}."))
    return found


def _recited(controls: Controls, settings: PromotionSettings) -> list[Finding]:
    told = controls.memorisation or {}
    found: list[Finding] = []
    training = told.get("training", {})
    asked, alone = int(training.get("asked", 0)), int(training.get("by_adapter_alone", 0))
    if asked and alone > settings.max_recited * asked:
        found.append(
            Finding(
                False,
                f"It gives back {alone} of {asked} training texts word for word, and "
                f"{100 * settings.max_recited:g} % are allowed.",
            )
        )
    if secrets := int(told.get("secrets", 0)):
        found.append(Finding(False, f"{counted(secrets, 'answer')} held what looks like a secret."))
    return found


def _parity(controls: Controls) -> list[Finding]:
    parity = controls.parity or {}
    if not parity:
        return [Finding(False, _NOT_COMPARED)]
    if parity["agree"]:
        return []
    return [
        Finding(
            False,
            "Served isn't what was trained: over the same prompts the trained and the saved "
            f"adapter lie {parity['trained_to_reloaded']:.3f} nats per token apart, the served "
            f"and the merged one {parity['served_to_merged']:.3f} ({parity['tolerance']:g} are "
            f"allowed), and {parity['answers_alike']} of {parity['prompts']} answers are alike.",
        )
    ]

"""Whether what changed is worth another training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.settings import RetrainingSettings, VariantSettings
from repo_tune_pipeline.training.examples import select_examples
from repo_tune_pipeline.training.learned import read_learned

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Renewal:
    """Whether to train, and why or why not; `changed` is a share of the examples."""

    worth: bool
    changed: float
    why: str


def judge_renewal(
    dataset: Path,
    variant: str,
    filter: VariantSettings,
    adapter: Path | None,
    settings: RetrainingSettings,
    *,
    now: float | None = None,
) -> Renewal:
    """Compare a data set with what the newest adapter learned from.

    Args:
        dataset: folder of the newest data set.
        variant: whose adapter.
        filter: the variant's.
        adapter: folder of its newest version; None where there is none.
        settings: the thresholds.
        now: seconds since 1970; None means the clock.

    Raises:
        StorageError: the data set can't be read.
    """
    try:
        examples = select_examples(dataset, variant, filter)
    except EmptyInputError as error:
        return Renewal(False, 0.0, error.problem)
    if adapter is None:
        return Renewal(True, 1.0, f"Variant {variant} has no adapter yet.")
    learned = read_learned(adapter)
    if learned is None:
        return Renewal(True, 1.0, f"What {adapter.name} learned from isn't known.")
    changed = sum(not learned.has(one) for one in examples) / len(examples)
    days = ((now or time.time()) - (adapter / "run.json").stat().st_mtime) / _DAY
    told = f"{100 * changed:.1f} % of {len(examples)} examples are new to {adapter.name}"
    if not changed:
        return Renewal(False, 0.0, f"{told}: nothing to learn.")
    if days < settings.min_days:
        return Renewal(
            False, changed, f"{told}, which is {days:.1f} days old: {settings.min_days:g} at least."
        )
    if changed >= settings.min_changed:
        return Renewal(True, changed, f"{told}: {100 * settings.min_changed:g} % are enough.")
    if days >= settings.max_days:
        return Renewal(True, changed, f"{told}, which is {days:.0f} days old.")
    return Renewal(
        False, changed, f"{told}: {100 * settings.min_changed:g} % are needed before "
        f"{settings.max_days:g} days have passed."
    )  # fmt: skip

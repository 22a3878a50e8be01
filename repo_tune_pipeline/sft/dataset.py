"""The stage: what the stages before left of each repository → a data set's folder.

Repositories are taken one after the other. What was made of a file is kept by content; of an
example only its prints stay in memory, and its line is put aside, until all repositories are
known and it is clear which examples stay on which side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline.artifacts import digest_json
from repo_tune_pipeline.chunking import collector_paused
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.records import Funnel
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.collecting import Taught, Wishes, collect
from repo_tune_pipeline.sft.duplicates import Unit, copies
from repo_tune_pipeline.sft.files import save_dataset
from repo_tune_pipeline.sft.found import Found
from repo_tune_pipeline.sft.lengths import TokenLimit
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.selection import Candidate
from repo_tune_pipeline.sft.split import SIDES, Side
from repo_tune_pipeline.sft.spool import Spool
from repo_tune_pipeline.sft.stock import Reader, Stock
from repo_tune_pipeline.sft.units import PrintedTexts, units_of

SFT_VERSION = "4"
"""Raised whenever the same chunks and settings would give other examples than before."""


@dataclass(frozen=True)
class Dataset:
    """A data set on disk and its numbers.

    `counts` are numbers of examples by side, and within each by task, repository, language and
    licence. `funnels` hold for each stage that seen = kept + dropped: files, definitions and
    sections, candidates for examples.
    """

    folder: Path
    counts: dict[Side, dict[str, object]]
    funnels: dict[str, Funnel]
    repositories: dict[str, str]

    def examples(self, side: Side) -> int:
        return int(str(self.counts[side]["examples"]))

    def tally(self, key: str) -> dict[str, int]:
        """Numbers over all sides; `key` is `by_task`, `by_repo`, `by_language` or `by_license`."""
        total: Counter[str] = Counter()
        for side in SIDES:
            counts = self.counts[side][key]
            if isinstance(counts, dict):
                total.update(counts)
        return dict(sorted(total.items()))


def build_dataset(
    stocks: Sequence[Stock],
    datasets: Path,
    *,
    settings: SftSettings,
    packs: Sequence[DomainPack],
    taught: Taught | None = None,
    limit: TokenLimit | None = None,
) -> Dataset:
    """Make every example, choose, and write the data set.

    The result depends on the repositories' content, the settings and the limit on tokens (None:
    characters alone are limited), not on the order of `stocks`, on what was kept from before, or
    on the machine.

    Raises:
        ConfigError: a pack that can't be read.
        EmptyInputError: no example was kept, or one side has too few; names the counts.
        StorageError: what the stages before left isn't whole, or the disk is full.
    """
    ordered = sorted(stocks, key=lambda stock: stock.name)
    with collector_paused(), Spool(datasets) as spool:
        found, reader, wishes = Found(spool), Reader(), Wishes(settings, packs, taught, limit)
        copied = _copied(ordered, reader, settings)
        # What the reader holds is used first; the order doesn't matter.
        for stock in sorted(ordered, key=lambda one: not reader.holds(one)):
            found.add(stock.name, collect(stock, reader, copied, wishes, spool.add))
        selection = found.select(settings)
        funnels = found.funnels(selection)
        kept = found.by_side(selection)
        counts: dict[Side, dict[str, object]] = {side: count_examples(kept[side]) for side in SIDES}
        _require_both(counts, funnels["sft"], settings)
        repositories = {stock.name: stock.cut.commit for stock in ordered}
        about: dict[str, object] = {
            "repositories": repositories,
            "settings": settings.model_dump(mode="json"),
            "tokens": {"tokenizer": limit.digest, "most": limit.most} if limit else None,
            "domains": {pack.name: digest_json(pack.model_dump(mode="json")) for pack in packs},
            "counts": counts,
            "funnels": {name: funnel.as_dict() for name, funnel in funnels.items()},
            "funnel": funnels["sft"].as_dict(),
            "tools": {"sft": SFT_VERSION},
        }
        folder = save_dataset(
            datasets,
            lambda side: found.lines(kept[side]),
            found.reject_lines(selection),
            about,
        )
    return Dataset(folder, counts, funnels, repositories)


def _copied(stocks: Sequence[Stock], reader: Reader, settings: SftSettings) -> dict[str, str]:
    """The ids of chunks that have a better copy in any repository → why they go."""
    units: list[Unit] = []
    with ThreadPoolExecutor(1) as aside:
        for stock in stocks:
            found = aside.submit(units_of, stock, reader.contents(stock))
            if stock is stocks[-1]:
                reader.links(stock)  # while worker processes make the prints
            units += found.result()
    exact, near = copies(units, PrintedTexts(stocks, reader, units), settings.near_duplicate)
    return dict.fromkeys(exact, "duplicate") | dict.fromkeys(near, "near_duplicate")


def count_examples(examples: Sequence[Candidate]) -> dict[str, object]:
    """How many examples there are, by task, repository, language and licence; keys are sorted."""

    def tally(key: str) -> dict[str, int]:
        return dict(sorted(Counter(getattr(example, key) for example in examples).items()))

    return {
        "examples": len(examples),
        "by_task": tally("task"),
        "by_repo": tally("repo"),
        "by_language": tally("language"),
        "by_license": tally("license"),
    }


def describe_funnel(funnel: Funnel) -> str:
    """One funnel on one line: "12 candidates seen, 0 kept, 12 dropped (too_long 2, …)"."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in funnel.dropped.items())
    dropped = sum(funnel.dropped.values())
    tail = f" ({reasons})" if reasons else ""
    return f"{funnel.seen} candidates seen, {funnel.kept} kept, {dropped} dropped{tail}"


def _require_both(
    counts: Mapping[Side, Mapping[str, object]], funnel: Funnel, settings: SftSettings
) -> None:
    train, heldout = (int(str(counts[side]["examples"])) for side in ("train", "heldout"))
    if not train and not heldout:
        raise EmptyInputError(
            f"No example could be made: {describe_funnel(funnel)}.",
            "Ingest a repository with documented code in a supported language.",
        )
    if heldout < settings.min_heldout_examples:
        raise EmptyInputError(
            f"Of {train + heldout} examples only {heldout} are held out, where "
            f"{settings.min_heldout_examples} are needed to evaluate an adapter.",
            f"Raise sft.heldout_share (now {settings.heldout_share:g}), or ingest more.",
        )
    if not train:
        raise EmptyInputError(
            f"All {heldout} examples are held out: none is left to train on.",
            f"Lower sft.heldout_share (now {settings.heldout_share:g}), or ingest more.",
        )

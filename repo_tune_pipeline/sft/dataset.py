"""The stage: what the stages before left of each repository → a data set's folder.

Repositories are taken one after the other. What was made of a file is kept by content; of an
example only its prints stay in memory, and its line is put aside, until all repositories are
known and it is clear which examples stay on which side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from repo_tune_pipeline.artifacts import digest_json
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.records import Funnel, Rejection
from repo_tune_pipeline.secrets import redact
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.collecting import Collected, Taught, collect
from repo_tune_pipeline.sft.duplicates import Unit
from repo_tune_pipeline.sft.files import save_dataset
from repo_tune_pipeline.sft.jobs import printed_text
from repo_tune_pipeline.sft.lines import rejection_line
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.selection import Candidate, Selection, select
from repo_tune_pipeline.sft.shares import mixed
from repo_tune_pipeline.sft.shown import shown_code
from repo_tune_pipeline.sft.split import SIDES, File, Side, Split
from repo_tune_pipeline.sft.spool import Spool
from repo_tune_pipeline.sft.stock import Stock

SFT_VERSION = "2"
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
) -> Dataset:
    """Make every example, choose, and write the data set.

    The result depends on the repositories' content and the settings, not on the order of
    `stocks`, on what was kept from before, or on the machine.

    Raises:
        ConfigError: a pack that can't be read.
        EmptyInputError: no example was kept, or one side has too few; names the counts.
        StorageError: what the stages before left isn't whole, or the disk is full.
    """
    ordered = sorted(stocks, key=lambda stock: stock.name)
    with Spool(datasets) as spool:
        found = _Found(ordered, spool)
        for stock in ordered:
            found.add(collect(stock, settings, packs, spool.add, taught))
        selection = found.select(settings)
        funnels = found.funnels(selection)
        kept = found.by_side(selection)
        counts: dict[Side, dict[str, object]] = {side: count_examples(kept[side]) for side in SIDES}
        _require_both(counts, funnels["sft"], settings)
        repositories = {stock.name: stock.cut.commit for stock in ordered}
        about: dict[str, object] = {
            "repositories": repositories,
            "settings": settings.model_dump(mode="json"),
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


class _Found:
    """The candidates of all repositories, and where to read what they show."""

    def __init__(self, stocks: Sequence[Stock], spool: Spool) -> None:
        self._stocks = {stock.name: stock for stock in stocks}
        self._spool = spool
        self._candidates: list[Candidate] = []
        self._numbers: dict[str, int] = {}
        self._units: list[Unit] = []
        self._rejections: list[Rejection] = []
        self._changed: dict[File, str] = {}
        self._by_chunk: dict[str, Unit] = {}
        self._files = self._chunks = 0

    def add(self, one: Collected) -> None:
        for candidate, number in zip(one.candidates, one.numbers, strict=True):
            self._numbers.setdefault(candidate.id, number)
        self._candidates += one.candidates
        self._units += one.units
        self._rejections += one.rejections
        self._changed |= one.changed
        self._files += one.files_kept
        self._chunks += one.chunks_kept

    def select(self, settings: SftSettings) -> Selection:
        return select(
            self._candidates,
            self._units,
            Split(self._changed, settings),
            settings,
            # What its repository holds was taken out of a candidate's quotes when it was made.
            vocabulary=lambda _repo, _name: False,
            text_of=self._texts,
            shown_of=self._shown,
        )

    def by_side(self, selection: Selection) -> dict[Side, list[Candidate]]:
        """Each side's candidates in the order of its lines."""
        kept: dict[Side, list[Candidate]] = {side: [] for side in SIDES}
        for candidate in sorted(self._candidates, key=lambda one: mixed(one.id)):
            if candidate.id in selection.sides:
                kept[selection.sides[candidate.id]].append(candidate)
        return kept

    def lines(self, candidates: Sequence[Candidate]) -> Iterator[bytes]:
        return self._spool.lines(self._numbers[candidate.id] for candidate in candidates)

    def funnels(self, selection: Selection) -> dict[str, Funnel]:
        reasons: dict[str, list[str]] = {"ingestion": [], "chunking": [], "sft": []}
        for rejection in self._rejections:
            reasons[rejection.stage].append(rejection.reason)
        reasons["sft"] += selection.reasons.values()
        return {
            "ingestion": Funnel.of("ingestion", self._files, reasons["ingestion"]),
            "chunking": Funnel.of("chunking", self._chunks, reasons["chunking"]),
            "sft": Funnel.of("sft", len(selection.sides), reasons["sft"]),
        }

    def reject_lines(self, selection: Selection) -> Iterator[bytes]:
        """Everything that was dropped, by stage, repository and place; no secret in it."""
        order = {"ingestion": 0, "chunking": 1, "sft": 2}
        later = self._dropped(selection)
        for rejection in sorted(
            [*self._rejections, *later],
            key=lambda r: (
                order[r.stage],
                r.repo,
                r.path,
                r.start_line,
                r.task,
                r.reason,
                r.symbol,
            ),
        ):
            yield rejection_line(replace(rejection, symbol=redact(rejection.symbol).text))

    def _dropped(self, selection: Selection) -> Iterator[Rejection]:
        dropped = [one for one in self._candidates if one.id in selection.reasons]
        lines = self._spool.lines(self._numbers[one.id] for one in dropped)
        for one, line in zip(dropped, lines, strict=True):
            meta = orjson.loads(line)["meta"]
            rows = (int(meta["start_line"]), int(meta["end_line"]))
            reason = selection.reasons[one.id]
            yield Rejection("sft", reason, one.repo, one.path, *rows, one.symbol, one.task)

    def _texts(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """The code of chunks, read from where their repositories keep it."""
        wanted = set(chunk_ids)
        files: dict[str, set[str]] = defaultdict(set)
        for unit in self._places(wanted):
            files[unit.repo].add(unit.path)
        found: dict[str, str] = {}
        for repo, paths in files.items():
            for chunk in self._stocks[repo].chunks_of(paths):
                if chunk.chunk_id in wanted:
                    found[chunk.chunk_id] = printed_text(chunk)
        return found

    def _places(self, chunk_ids: set[str]) -> Iterator[Unit]:
        if not self._by_chunk:
            self._by_chunk.update({unit.chunk_id: unit for unit in self._units})
        return (self._by_chunk[chunk_id] for chunk_id in chunk_ids)

    def _shown(self, ids: Sequence[str]) -> dict[str, str]:
        lines = self._spool.lines(self._numbers[one] for one in ids)
        rows = (orjson.loads(line) for line in lines)
        return {
            one: shown_code(row["meta"]["task"], row["input"], row["output"])
            for one, row in zip(ids, rows, strict=True)
        }


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

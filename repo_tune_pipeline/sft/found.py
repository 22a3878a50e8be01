"""All repositories' candidates: chosen among, counted, and found again with their lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from repo_tune_pipeline.records import Funnel, Rejection
from repo_tune_pipeline.secrets import redact
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.collecting import Collected
from repo_tune_pipeline.sft.duplicates import Unit
from repo_tune_pipeline.sft.jobs import printed_text
from repo_tune_pipeline.sft.lines import rejection_line
from repo_tune_pipeline.sft.selection import Candidate, Selection, select
from repo_tune_pipeline.sft.shares import mixed
from repo_tune_pipeline.sft.shown import shown_code
from repo_tune_pipeline.sft.split import SIDES, File, Side, Split
from repo_tune_pipeline.sft.spool import Spool
from repo_tune_pipeline.sft.stock import Stock


class Found:
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
        rejections = [*self._rejections, *self._dropped(selection)]
        safe = _without_secrets({rejection.symbol for rejection in rejections})
        for rejection in sorted(
            rejections,
            key=lambda r: (order[r.stage], r.repo, r.path, r.start_line, r.task, r.reason),
        ):
            yield rejection_line(replace(rejection, symbol=safe[rejection.symbol]))

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


def _without_secrets(symbols: set[str]) -> dict[str, str]:
    """Each symbol as it may be shown; all in one text, since scanning many costs more."""
    if not symbols:
        return {}
    ordered = sorted(symbols)
    text = "\n".join(" ".join(symbol.split()) for symbol in ordered)
    return dict(zip(ordered, redact(text).text.split("\n"), strict=True))

"""All repositories' candidates: chosen among, counted, and found again with their lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import orjson

from repo_tune_pipeline.records import Funnel, Rejection
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.collecting import Collected
from repo_tune_pipeline.sft.jobs import reject_lines
from repo_tune_pipeline.sft.selection import Candidate, Selection, select
from repo_tune_pipeline.sft.shares import by_id
from repo_tune_pipeline.sft.shown import shown_code
from repo_tune_pipeline.sft.split import SIDES, File, Side, Split
from repo_tune_pipeline.sft.spool import Spool


class Found:
    """The candidates of all repositories, and where to read what they show."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._candidates: list[Candidate] = []
        self._numbers: dict[str, int] = {}
        self._rejects: dict[str, list[int]] = {}
        self._reasons: Counter[str] = Counter()
        self._dropped: list[Rejection] = []
        self._changed: dict[File, str] = {}
        self._files = self._chunks = 0

    def add(self, repo: str, one: Collected) -> None:
        for candidate, number in zip(one.candidates, one.numbers, strict=True):
            self._numbers.setdefault(candidate.id, number)
        self._candidates += one.candidates
        self._rejects[repo] = one.rejects
        self._reasons += one.reasons
        self._dropped += one.dropped
        self._changed |= one.changed
        self._files += one.files_kept
        self._chunks += one.chunks_kept

    def select(self, settings: SftSettings) -> Selection:
        return select(
            self._candidates,
            Split(self._changed, settings),
            settings,
            # What its repository holds was taken out of a candidate's quotes when it was made.
            vocabulary=lambda _repo, _name: False,
            shown_of=self._shown,
        )

    def by_side(self, selection: Selection) -> dict[Side, list[Candidate]]:
        """Each side's candidates in the order of its lines."""
        kept: dict[Side, list[Candidate]] = {side: [] for side in SIDES}
        for candidate in sorted(self._candidates, key=by_id):
            if candidate.id in selection.sides:
                kept[selection.sides[candidate.id]].append(candidate)
        return kept

    def lines(self, candidates: Sequence[Candidate]) -> Iterator[bytes]:
        return self._spool.lines(self._numbers[candidate.id] for candidate in candidates)

    def funnels(self, selection: Selection) -> dict[str, Funnel]:
        reasons: dict[str, list[str]] = {"ingestion": [], "chunking": []}
        for rejection in self._dropped:
            reasons[rejection.stage].append(rejection.reason)
        made = (*self._reasons.elements(), *selection.reasons.values())
        return {
            "ingestion": Funnel.of("ingestion", self._files, reasons["ingestion"]),
            "chunking": Funnel.of("chunking", self._chunks, reasons["chunking"]),
            "sft": Funnel.of("sft", len(selection.sides), made),
        }

    def reject_lines(self, selection: Selection) -> Iterator[bytes]:
        """Everything that was dropped, stage by stage, in blocks of lines; no secret in it.

        First what was never made, repository by repository and file by file; then what was made
        and not selected.
        """
        yield from reject_lines(self._dropped)
        for repo in sorted(self._rejects):
            yield from self._spool.lines(self._rejects[repo])
        gone = (one for one in self._candidates if one.id in selection.reasons)
        yield from reject_lines(_rejection(one, selection.reasons[one.id]) for one in gone)

    def _shown(self, ids: Sequence[str]) -> dict[str, str]:
        lines = self._spool.lines(self._numbers[one] for one in ids)
        rows = (orjson.loads(line) for line in lines)
        return {
            one: shown_code(row["meta"]["task"], row["input"], row["output"])
            for one, row in zip(ids, rows, strict=True)
        }


def _rejection(one: Candidate, reason: str) -> Rejection:
    return Rejection("sft", reason, one.repo, one.path, *one.lines, one.symbol, one.task)

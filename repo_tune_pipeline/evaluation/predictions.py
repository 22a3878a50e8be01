"""What each model made of each held-out example."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from repo_tune_pipeline.evaluation.bootstrap import Terms
from repo_tune_pipeline.evaluation.cells import Cell
from repo_tune_pipeline.evaluation.measures import Reference
from repo_tune_pipeline.models.protocol import Answer
from repo_tune_pipeline.records import SftExample


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example in one cell: its terms by metric, and what was generated, if anything was."""

    terms: dict[str, Terms]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One example in every cell. `reference` is what answers were compared with, None where none
    was generated; `sources` are titles of the passages that retrieval gave.
    """

    example: SftExample
    outcomes: dict[Cell, Outcome]
    reference: Reference | None = None
    sources: tuple[str, ...] = ()

    @property
    def file(self) -> tuple[str, str]:
        """Repository and path: examples of one file aren't independent of one another."""
        return self.example.meta.repo, self.example.meta.path

    @property
    def bytes(self) -> int:
        """The reference's length in UTF-8."""
        return len(self.example.output.encode())

    def as_line(self) -> bytes:
        """One line of `predictions.jsonl`."""
        meta = self.example.meta
        cells: dict[str, dict[str, object]] = {}
        for cell, outcome in self.outcomes.items():
            told: dict[str, object] = {"terms": outcome.terms}
            if outcome.answer is not None:
                told["text"] = outcome.answer.text
                told["finished"] = outcome.answer.finished
                if outcome.answer.refusal:
                    told["refusal"] = outcome.answer.refusal
            cells.setdefault(cell.model, {})[cell.context] = told
        value: dict[str, object] = {
            "id": meta.id,
            "task": meta.task,
            "repo": meta.repo,
            "commit": meta.commit,
            "path": meta.path,
            "start_line": meta.start_line,
            "end_line": meta.end_line,
            "bytes": self.bytes,
            "cells": cells,
        }
        if self.reference is not None:
            value["compared"] = self.reference.text
        if self.sources:
            value["sources"] = self.sources
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)

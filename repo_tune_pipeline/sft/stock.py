"""What the stages before left of one repository, read when it is needed and not held."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from repo_tune_pipeline.chunking import (
    CutFile,
    CutRepository,
    Origin,
    collector_paused,
    file_chunks,
    load_cut,
    stamp,
)
from repo_tune_pipeline.ingestion import load_ledger
from repo_tune_pipeline.records import CodeChunk, Rejection
from repo_tune_pipeline.sft.lines import COMMIT_LATER
from repo_tune_pipeline.sft.links import Links, link

_PART = re.compile(r"\w{2,}")


@dataclass(frozen=True)
class Contents:
    """One repository's chunks by path and line, without their commit.

    `files` says how many of `chunks`, in a row, each file has. `rejections` are what chunking
    dropped; `vocabulary` holds every name and path of the repository at its commit.
    """

    chunks: list[CodeChunk]
    files: list[tuple[CutFile, int]]
    rejections: list[Rejection]
    vocabulary: Vocabulary

    @cached_property
    def by_id(self) -> dict[str, CodeChunk]:
        return {chunk.chunk_id: chunk for chunk in self.chunks}


@dataclass(frozen=True)
class Stock:
    """One ingested repository: its name, and the folders of its snapshot and chunks."""

    name: str
    snapshot: Path
    chunks: Path

    @cached_property
    def cut(self) -> CutRepository:
        """Its files, without texts."""
        return load_cut(self.chunks)

    def contents(self) -> Contents:
        """All that chunking left."""
        chunks: list[CodeChunk] = []
        files: list[tuple[CutFile, int]] = []
        rejections: list[Rejection] = []
        names: set[str] = set()
        found = file_chunks(self.chunks, self.cut.files)
        with collector_paused():
            for row, (file, cut) in zip(self.cut.files, found, strict=True):
                kept, dropped = stamp(cut, Origin(self.name, COMMIT_LATER, file))
                chunks += sorted(kept, key=lambda one: (one.start_line, one.end_line, one.symbol))
                files.append((row, len(kept)))
                rejections += dropped
                names.update(cut.names)
        paths = {file.path for file in self.cut.files}
        return Contents(chunks, files, rejections, Vocabulary(names, paths))

    def chunks_of(self, paths: set[str]) -> list[CodeChunk]:
        """The chunks of some files."""
        files: Sequence[CutFile] = [file for file in self.cut.files if file.path in paths]
        found: list[CodeChunk] = []
        for file, cut in file_chunks(self.chunks, files):
            found += stamp(cut, Origin(self.name, self.cut.commit, file))[0]
        return found

    def dropped_files(self) -> tuple[int, list[Rejection]]:
        """How many files ingestion kept, and those that it dropped, with their reasons."""
        ledger = load_ledger(self.snapshot)
        dropped = [
            Rejection("ingestion", entry.reason, self.name, entry.path)
            for entry in ledger
            if not entry.kept
        ]
        return len(ledger) - len(dropped), dropped


class Reader:
    """Reads repositories and holds the last one: two steps in a row ask for the same."""

    def __init__(self) -> None:
        self._name = ""
        self._held: Contents | None = None
        self._links: dict[str, Links] | None = None

    def contents(self, stock: Stock) -> Contents:
        """As `Stock.contents`."""
        if self._held is None or self._name != stock.name:
            self._held = self._links = None  # two at a time are never in memory
            self._held, self._name = stock.contents(), stock.name
        return self._held

    def links(self, stock: Stock) -> dict[str, Links]:
        """The links of a repository's definitions, by chunk id."""
        contents = self.contents(stock)
        if self._links is None:
            self._links = link(contents.chunks)
        return self._links

    def holds(self, stock: Stock) -> bool:
        return self._held is not None and self._name == stock.name

    def chunks(self, stock: Stock, places: Mapping[str, str]) -> list[CodeChunk]:
        """Some chunks of one repository, by their ids → their paths."""
        if self.holds(stock):
            return [self.contents(stock).by_id[id] for id in places]
        return [one for one in stock.chunks_of(set(places.values())) if one.chunk_id in places]


class Vocabulary:
    """Which names occur in a repository."""

    def __init__(self, names: set[str], paths: set[str]) -> None:
        parts = (part for path in paths for part in _PART.findall(path))
        self._names = names | set(parts)
        self._paths = paths

    def holds(self, quoted: str) -> bool:
        """Whether a quoted name, path or piece of code is made of what the repository holds."""
        return quoted in self._paths or all(
            part in self._names or part.isdigit() for part in _PART.findall(quoted)
        )

"""A repository as a whole: its files, what they define, its folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft.docs import docstring_problem
from repo_tune_pipeline.sft.facts import noun
from repo_tune_pipeline.sft.prose import first_paragraph


class ListedFile(Protocol):
    """What is asked of a file."""

    @property
    def path(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def license(self) -> str: ...


class Definition(NamedTuple):
    """One definition, in short; `symbol` is free of backticks and line breaks."""

    symbol: str
    kind: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class FileOutline:
    """One file: what its header says about it, and its definitions in their order.

    `definitions` are those that aren't inside another; `last_line` is the end of the last chunk.
    """

    path: str
    language: str
    license: str
    about: str
    definitions: tuple[Definition, ...]
    last_line: int


@dataclass(frozen=True, slots=True)
class RepoOutline:
    """One repository; files are sorted by path."""

    repo: str
    commit: str
    files: tuple[FileOutline, ...]

    def top_level(self) -> dict[str, list[FileOutline]]:
        """The files anywhere below each folder of the top level; those beside them under ""."""
        found: dict[str, list[FileOutline]] = defaultdict(list)
        for file in self.files:
            folder, slash, _ = file.path.partition("/")
            found[folder if slash else ""].append(file)
        return dict(sorted(found.items()))

    def folders(self) -> dict[str, list[FileOutline]]:
        """The files that lie directly in each folder; the root is ""."""
        found: dict[str, list[FileOutline]] = defaultdict(list)
        for file in self.files:
            parent = str(PurePosixPath(file.path).parent)
            found["" if parent == "." else parent].append(file)
        return dict(sorted(found.items()))


def outline_of(
    repo: str, commit: str, files: Sequence[ListedFile], chunks: Sequence[CodeChunk]
) -> RepoOutline:
    """The outline of one repository from its kept files and its chunks."""
    by_path: dict[str, list[CodeChunk]] = defaultdict(list)
    for chunk in chunks:
        by_path[chunk.path].append(chunk)
    listed = (
        _file(file, sorted(by_path.get(file.path, []), key=lambda c: (c.start_line, -c.end_line)))
        for file in files
    )
    return RepoOutline(repo, commit, tuple(sorted(listed, key=lambda each: each.path)))


def _file(file: ListedFile, chunks: Sequence[CodeChunk]) -> FileOutline:
    defined: dict[str, Definition] = {}
    until = 0
    for chunk in chunks:
        symbol = " ".join(chunk.symbol.replace("`", "'").split())
        if chunk.kind == "module" or chunk.part[0] > 1 or not symbol:
            continue
        if chunk.start_line > until:
            one = Definition(symbol, noun(chunk), chunk.start_line, chunk.end_line)
            defined.setdefault(symbol, one)
            until = chunk.end_line
    docs = [chunk.docstring for chunk in chunks if chunk.kind == "module"]
    usable = next((doc for doc in docs if not docstring_problem(doc, file.path)), "")
    return FileOutline(
        file.path,
        file.language,
        file.license,
        first_paragraph(usable),
        tuple(defined.values()),
        max((chunk.end_line for chunk in chunks), default=1),
    )

"""What every kind of training example is made by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from repo_tune_pipeline.records import CodeChunk, Origin, TaskName
from repo_tune_pipeline.sft import facts, gates
from repo_tune_pipeline.sft.code import dedent, parse_python, without_doc
from repo_tune_pipeline.sft.facts import Facts
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.prose import first_paragraph


@dataclass(frozen=True, slots=True)
class Draft:
    """An example before the gates: what a task kept."""

    instruction: str
    input: str
    output: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why there is no example."""

    reason: str


Verdict = Draft | Dropped


class Task(Protocol):
    """One kind of training example.

    `takes` says whether a chunk is a candidate at all; `examples` gives at least one verdict for
    each that is, so that the caller can count seen = kept + dropped.
    """

    @property
    def name(self) -> TaskName: ...

    def takes(self, chunk: CodeChunk) -> bool: ...

    def examples(self, view: ChunkView) -> Iterator[Verdict]: ...


class ChunkView:
    """A chunk with what several tasks want to know of it, each worked out at most once."""

    def __init__(self, chunk: CodeChunk) -> None:
        self.chunk = chunk

    @property
    def repo_name(self) -> str:
        """The repository's name without its owner."""
        return self.chunk.repo.rsplit("/", 1)[-1]

    @property
    def symbol(self) -> str:
        """The qualified name on one line; a test's title may hold marks that would end ours."""
        return " ".join(self.chunk.symbol.replace("`", "'").split())

    @cached_property
    def code(self) -> str:
        """The source without docstring or leading comment and without its common indent."""
        stripped = without_doc(self.chunk.source, self.chunk.doc_span)
        return dedent(stripped.replace("\r\n", "\n")).rstrip("\r\n ")

    @cached_property
    def tree(self) -> ast.AST | None:
        """The Python syntax of `code`; None for other languages and for what doesn't parse."""
        return parse_python(self.code) if self.chunk.language == "Python" else None

    @cached_property
    def code_problem(self) -> str:
        """Why `code` can't stand in an example, or ""."""
        if not self.code.strip():
            return "docstring_only"
        if self.chunk.language != "Python" or self.tree is not None:
            return ""
        whole = parse_python(dedent(self.chunk.source))
        return "unparseable" if whole is None else "docstring_only"

    @cached_property
    def doc_problem(self) -> str:
        """Why the docstring says too little to learn from, or ""."""
        return gates.docstring_problem(self.chunk.docstring, self.chunk.symbol)

    @cached_property
    def paragraph(self) -> str:
        """The docstring's first paragraph on one line; "" if the docstring is no use."""
        return "" if self.doc_problem else first_paragraph(self.chunk.docstring)

    @cached_property
    def facts(self) -> Facts:
        return facts.collect(self.chunk, self.code, self.tree)

    @property
    def noun(self) -> str:
        return facts.noun(self.chunk)

    def instruction(self, forms: tuple[str, ...], task: str, **more: str) -> str:
        """One of `forms`, filled in; the chunk's identity decides which."""
        chunk = self.chunk
        return pick(forms, task, chunk.chunk_id).format(
            repo=self.repo_name,
            path=chunk.path,
            symbol=self.symbol,
            language=chunk.language,
            noun=self.noun,
            **more,
        )

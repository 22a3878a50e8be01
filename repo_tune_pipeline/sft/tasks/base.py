"""What every kind of training example is made by."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from repo_tune_pipeline.records import Change, CodeChunk, Origin, TaskName
from repo_tune_pipeline.sft import docs, facts
from repo_tune_pipeline.sft.code import dedent, parse_python, without_doc
from repo_tune_pipeline.sft.facts import Facts
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.links import NO_LINKS, Links, qualified
from repo_tune_pipeline.sft.outline import RepoOutline
from repo_tune_pipeline.sft.prose import first_paragraph

_RESCRIPT_FUNCTION = re.compile(r"let (?:rec )?\w+ = ")
_QUOTED = re.compile(r"""("[^"]*"|`[^`]*`)""")
_AFTER_OPENING = re.compile(r"([(\[]) ")
_BEFORE_CLOSING = re.compile(r",? ([)\]])")
_BRACED = frozenset({"Java", "Kotlin", "Scala", "JavaScript", "TypeScript", "TSX", "C#", "PHP"})


@dataclass(frozen=True, slots=True)
class Draft:
    """An example before the gates: what a task kept.

    `at` is the chunk that is its source where that isn't the one the task was asked about, and
    `lines` the rows of the source file (1-based, inclusive) where they aren't the whole chunk's.
    `also` are other paths of the repository whose text stands in it.
    """

    instruction: str
    input: str
    output: str
    origin: Origin
    at: CodeChunk | None = None
    lines: tuple[int, int] | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why there is no example."""

    reason: str


Verdict = Draft | Dropped


class ChunkTask(Protocol):
    """A kind of example that is made from one chunk and what it is linked to.

    `takes` says whether a chunk is a candidate at all; `examples` gives at least one verdict for
    each that is, so that the caller can count seen = kept + dropped. `version` is raised whenever
    the same chunk would give other examples.
    """

    @property
    def name(self) -> TaskName: ...

    @property
    def version(self) -> str: ...

    def takes(self, chunk: CodeChunk) -> bool: ...

    def examples(self, view: ChunkView) -> Iterator[Verdict]: ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A verdict on something that isn't a chunk, and where its source is."""

    verdict: Verdict
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    license: str
    commit: str


class RepositoryTask(Protocol):
    """A kind of example that is made from a repository as a whole."""

    @property
    def name(self) -> TaskName: ...

    @property
    def version(self) -> str: ...

    def examples(self, outline: RepoOutline) -> Iterator[Placed]: ...


class ChangeTask(Protocol):
    """A kind of example that is made from a change."""

    @property
    def name(self) -> TaskName: ...

    @property
    def version(self) -> str: ...

    def examples(self, change: Change, repo: str) -> Iterator[Placed]: ...


class ChunkView:
    """A chunk with what several tasks want to know of it, each worked out at most once."""

    def __init__(
        self, chunk: CodeChunk, links: Links = NO_LINKS, last_line: int | None = None
    ) -> None:
        self.chunk = chunk
        self.links = links
        self.last_line = chunk.end_line if last_line is None else last_line
        """The end of the whole definition, of which the chunk may be a part; 0 if not known."""

    @property
    def extent(self) -> str:
        """The lines of the whole definition, in words."""
        first, last = self.chunk.start_line, self.last_line
        if not last:
            return f"from line {first}"
        return f"line {first}" if first == last else f"lines {first} to {last}"

    @property
    def signature(self) -> str:
        """The signature on one line; a ReScript function's ends in its arrow."""
        signature = one_line(self.chunk.signature)
        function = self.chunk.language == "ReScript" and self.chunk.kind != "type"
        if function and _RESCRIPT_FUNCTION.match(signature) and not signature.endswith("=>"):
            return f"{signature} =>"
        return signature

    @property
    def repo_name(self) -> str:
        """The repository's name without its owner."""
        return short_name(self.chunk.repo)

    @cached_property
    def symbol(self) -> str:
        """The qualified name on one line; a test's title may hold marks that would end ours."""
        return plain_name(self.chunk)

    @cached_property
    def code(self) -> str:
        """The source without docstring or leading comment and without its common indent.

        Above a later part of a split definition stands the definition's signature.
        """
        stripped = without_doc(self.chunk.source, self.chunk.doc_span)
        code = dedent(stripped.replace("\r\n", "\n")).rstrip("\r\n ")
        if self.chunk.part[0] == 1:
            return code
        return f"{self.signature}\n{ellipsis_of(self.chunk.language)}\n{code}"

    @property
    def is_head(self) -> bool:
        """Whether the chunk is a type's beginning, its members being chunks of their own."""
        return not self.last_line

    @property
    def shown(self) -> str:
        """`code` as it is shown; of a type's beginning, with a mark for the rest and its end."""
        if not self.is_head:
            return self.code
        closing = "\n}" if self.chunk.language in _BRACED else ""
        return f"{self.code}\n\n    {ellipsis_of(self.chunk.language)}{closing}"

    @cached_property
    def tree(self) -> ast.AST | None:
        """The Python syntax of `code`; None for other languages and for what doesn't parse."""
        whole = self.chunk.language == "Python" and self.chunk.part[1] == 1
        return parse_python(self.code) if whole else None

    @cached_property
    def code_problem(self) -> str:
        """Why `code` can't stand in an example, or ""."""
        if not self.code.strip():
            return "docstring_only"
        if self.chunk.language != "Python" or self.chunk.part[1] > 1 or self.tree is not None:
            return ""
        whole = parse_python(dedent(self.chunk.source))
        return "unparseable" if whole is None else "docstring_only"

    @cached_property
    def doc_problem(self) -> str:
        """Why the docstring says too little to learn from, or ""."""
        return docs.docstring_problem(self.docs, self.chunk.symbol)

    @cached_property
    def docs(self) -> str:
        """The docstring, less what the code can't tell."""
        return docs.told(self.chunk.docstring)

    @cached_property
    def paragraph(self) -> str:
        """The docstring's first paragraph on one line; "" if the docstring is no use."""
        if self.doc_problem:
            return ""
        paragraph = first_paragraph(self.docs)
        return "" if docs.docstring_problem(paragraph, self.chunk.symbol) else paragraph

    @cached_property
    def facts(self) -> Facts:
        return facts.collect(self.chunk, self.code, self.tree)

    @cached_property
    def noun(self) -> str:
        return facts.noun(self.chunk)

    def instruction(self, forms: tuple[str, ...], task: str, *more_key: str, **more: str) -> str:
        """One of `forms`, filled in; the chunk's identity decides which."""
        chunk = self.chunk
        return pick(forms, task, chunk.chunk_id, *more_key).format(
            repo=self.repo_name,
            path=chunk.path,
            symbol=self.symbol,
            language=chunk.language,
            noun=self.noun,
            **more,
        )


def plain_name(chunk: CodeChunk) -> str:
    """The qualified name on one line, without what would end our marks."""
    return " ".join(qualified(chunk).replace("`", "'").split())


def one_line(signature: str) -> str:
    """A signature over several lines as one: no blank after a bracket, no comma before one."""
    parts = _QUOTED.split(" ".join(signature.split()))
    parts[::2] = [
        _BEFORE_CLOSING.sub(r"\1", _AFTER_OPENING.sub(r"\1", part)) for part in parts[::2]
    ]
    return "".join(parts)


def short_name(repo: str) -> str:
    """A repository's name without its owner."""
    return repo.rsplit("/", 1)[-1]


def ellipsis_of(language: str) -> str:
    """A comment that stands for code left out."""
    mark = {"SQL": "--", "Lua": "--", "Haskell": "--"}.get(language)
    hashed = language in ("Python", "Ruby", "Shell", "Elixir")
    return f"{mark or ('#' if hashed else '//')} …"

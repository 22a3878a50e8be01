"""Jupyter notebooks, cut in their percent form.

That is a script in which ``# %%`` begins a cell of code and ``# %% [markdown]`` one of prose, each
line of which is a comment; so is what only IPython understands. Outputs are no part of it. The
lines of a notebook's chunks are counted in this form, of which their sources are slices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import cast

from msgspec import structs

from repo_tune_pipeline.chunking.candidates import Candidate, Piece, refusal
from repo_tune_pipeline.chunking.definitions import code_candidates
from repo_tune_pipeline.chunking.parsing import SourceText, UnparsedError
from repo_tune_pipeline.chunking.sections import Heading, following, headings, sections
from repo_tune_pipeline.secrets import redact
from repo_tune_pipeline.settings import ChunkingSettings

_BAD = "bad_notebook"
_CODE = "code"
_MARKDOWN = "markdown"
_FEWEST_ROWS = 3
_CELL_MAGIC = re.compile(r"%%(\w*)")
_PYTHON_INSIDE = frozenset({"capture", "prun", "time", "timeit"})
_IPYTHON = re.compile(
    r"^(\s*)((?:%{1,2}[A-Za-z]|!\S).*|\?{1,2}[\w.%]+\s*|[\w.%]+\?{1,2}\s*)$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Cell:
    """What stands on the rows `first` to `after` (exclusive) of the script."""

    kind: str
    first: int
    after: int


@dataclass(frozen=True, slots=True)
class _Notebook:
    language: str
    cells: tuple[_Cell, ...]
    script: str


def script_of(text: str) -> str:
    """The percent form of a notebook's JSON.

    Secrets in it are redacted once more: escapes in the JSON may have hidden them.

    Raises:
        UnparsedError: it isn't JSON, or no notebook of the fourth format.
    """
    return _read(text).script


def notebook_candidates(source: SourceText, settings: ChunkingSettings) -> Iterator[Candidate]:
    """The sections in a notebook's prose and, if it is in Python, the definitions in its code.

    The first cell of code is the module's header, as far as it has one. Other code outside
    definitions makes no chunk.

    Raises:
        UnparsedError: as `script_of` and `code_candidates`.
    """
    notebook = _read(source.text)
    script = SourceText(notebook.script)
    yield from _sections(notebook, script, settings)
    code = [cell for cell in notebook.cells if cell.kind == _CODE]
    if code and notebook.language != "python":
        yield refusal("language_not_supported", (code[0].first, code[-1].after - 1))
    elif code:
        yield from _code(script, code, settings)


def _code(
    script: SourceText, cells: list[_Cell], settings: ChunkingSettings
) -> Iterator[Candidate]:
    taken: set[int] = set()
    opening = SourceText(script.rows(cells[0].first, cells[0].after - 1))
    heads = [each for each in code_candidates("Python", opening, settings) if not each.symbol]
    bodies = [each for each in code_candidates("Python", script, settings) if each.symbol]
    for each in heads:
        yield _moved(each, cells[0].first)
        taken.add(cells[0].first)
    for each in bodies:
        yield each
        taken.update(range(each.start_line - 1, each.end_line))
    for cell in cells:
        rows = range(cell.first, cell.after)
        written = sum(1 for row in rows if script.lines[row].lstrip()[:1] not in ("", "#"))
        if written >= _FEWEST_ROWS and taken.isdisjoint(rows):
            yield refusal("no_definitions", (cell.first, cell.after - 1))


def _moved(candidate: Candidate, rows: int) -> Candidate:
    first, last = candidate.start_line + rows, candidate.end_line + rows
    if isinstance(candidate, Piece):
        return structs.replace(candidate, start_line=first, end_line=last)
    return candidate._replace(start_line=first, end_line=last)


def _sections(
    notebook: _Notebook, script: SourceText, settings: ChunkingSettings
) -> Iterator[Candidate]:
    """A section ends where its prose does, at the next cell of another kind."""
    words = [""] * len(script.lines)
    found: list[tuple[Heading, int]] = []
    for kind, run in groupby(notebook.cells, lambda cell: cell.kind):
        if kind != _MARKDOWN:
            continue
        inside: list[Heading] = []
        after = 0
        for cell in run:
            after = cell.after
            rows = [line.removeprefix("#").removeprefix(" ") for line in _lines(script, cell)]
            words[cell.first : after] = rows
            inside += [
                replace(
                    each,
                    first_row=each.first_row + cell.first,
                    last_row=each.last_row + cell.first,
                )
                for each in headings(rows)
            ]
        found += following(inside, after)
    yield from sections(script, found, settings, SourceText("\n".join(words)))


def _lines(script: SourceText, cell: _Cell) -> list[str]:
    return script.lines[cell.first : cell.after]


def _read(text: str) -> _Notebook:
    try:
        loaded = _mapping(json.loads(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError):
        raise UnparsedError(_BAD) from None
    listed = loaded.get("cells")
    if not isinstance(listed, list):
        raise UnparsedError(_BAD)
    cells: list[_Cell] = []
    lines: list[str] = []
    for each in cast(list[object], listed):
        cell = _mapping(each)
        kind, written = str(cell.get("cell_type")), _source(cell.get("source"))
        if not written.strip():
            continue
        body = written.split("\n")
        body = _script_lines(body) if kind == _CODE else _commented(body)
        lines += ["# %%" if kind == _CODE else f"# %% [{_word(kind)}]", *body, ""]
        cells.append(_Cell(kind, len(lines) - len(body) - 1, len(lines) - 1))
    script = redact("\n".join(lines)).text
    return _Notebook(_language(_mapping(loaded.get("metadata"))), tuple(cells), script)


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}


def _source(value: object) -> str:
    """A cell's text, which is a string or its lines; without the halves of characters that JSON
    may hold and no encoding can.
    """
    parts = cast(list[object], value) if isinstance(value, list) else [value]
    text = "".join(part for part in parts if isinstance(part, str))
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def _word(kind: str) -> str:
    return kind if kind.isalpha() and kind.isascii() else "raw"


def _language(metadata: Mapping[str, object]) -> str:
    told = _mapping(metadata.get("language_info")).get("name")
    told = told or _mapping(metadata.get("kernelspec")).get("language") or "python"
    return str(told).lower().removeprefix("i")


def _script_lines(lines: list[str]) -> list[str]:
    """A cell's code, with what only IPython understands in comments."""
    magic = _CELL_MAGIC.match(lines[0])
    if magic is not None and magic.group(1) not in _PYTHON_INSIDE:
        return _commented(lines)
    return [_IPYTHON.sub(r"\1# \2", line) for line in lines]


def _commented(lines: list[str]) -> list[str]:
    return [_comment(line) for line in lines]


def _comment(line: str) -> str:
    return f"# {line}" if line.strip() else "#"

"""What a type or a component is made of, row by row, as a manual of reference has it."""

from __future__ import annotations

from typing import NamedTuple

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft import signatures
from repo_tune_pipeline.sft.facts import noun
from repo_tune_pipeline.sft.members import case_lines, field_lines

_LEAST, _MOST = 2, 40
_LEAST_ARGUMENTS = 3
_MAX_ROW = 120


class Reference(NamedTuple):
    """What the rows are: `fields`, `cases`, `props` or `labelled arguments`."""

    what: str
    rows: tuple[str, ...]


def reference_of(chunk: CodeChunk, code: str) -> Reference | None:
    """The rows of a whole definition; None where there are too few or one can't be read."""
    if chunk.kind == "type":
        fields, cases = field_lines(chunk, code), case_lines(chunk, code)
        found = Reference("fields", fields) if fields else Reference("cases", cases)
        rows = tuple(f"`{row}`" for row in found.rows)
        return _fit(found._replace(rows=rows), _LEAST)
    if chunk.language != "ReScript" or chunk.kind not in ("function", "method"):
        return None
    rows = tuple(map(_argument, signatures.labelled(chunk.signature, chunk.symbol)))
    component = noun(chunk) == "React component"
    what = "props" if component else "labelled arguments"
    return _fit(Reference(what, rows), _LEAST if component else _LEAST_ARGUMENTS)


def _fit(found: Reference, least: int) -> Reference | None:
    whole = all(len(row) <= _MAX_ROW for row in found.rows)
    return found if whole and least <= len(found.rows) <= _MOST else None


def _argument(argument: tuple[str, str, str]) -> str:
    name, typed, default = argument
    row = f"`{name}` of type `{typed}`" if typed else f"`{name}`"
    if default == "?":
        return f"{row}, optional"
    return f"{row}, by default `{default}`" if default else row

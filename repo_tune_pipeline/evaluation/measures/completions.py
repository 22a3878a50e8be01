"""How close a generated completion is to what stands in the file, as CrossCodeEval measures it.

The measures are those of CrossCodeEval (Ding et al. 2023, arXiv:2310.11248, section 3): exact
match, edit similarity, and F1 over the distinct identifiers. Trailing blanks of each line and
blanks around the whole are ignored.
"""

from __future__ import annotations

import re

from rapidfuzz import fuzz

from repo_tune_pipeline.evaluation.measures.identifiers import identifiers

_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_OPENS, _CLOSES = re.compile(r"[(\[]"), re.compile(r"[)\]]")


def first_lines(text: str, lines: int) -> str:
    """The first `lines` lines, without blanks at their ends and around the whole."""
    kept = text.strip("\r\n").split("\n")[:lines]
    return "\n".join(line.rstrip() for line in kept).strip()


def statement_lines(text: str) -> int:
    """How many lines the first statement takes: the first one, and more while a ``(`` or ``[`` that
    it opened is open. What a ``{`` at a line's end opens is further statements.
    """
    depth = 0
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        bare = _QUOTED.sub("", line)
        depth += len(_OPENS.findall(bare)) - len(_CLOSES.findall(bare))
        if depth <= 0 and line.strip():
            return number
    return len(lines)


def edit_similarity(found: str, wanted: str) -> float:
    """1 - d / (sum of both lengths), d counting single characters put in or taken out; 1 for two
    empty texts.

    RapidFuzz's `ratio`, over 100: what CrossCodeEval, RepoBench and CodeXGLUE call edit similarity.
    """
    return fuzz.ratio(found, wanted) / 100


def identifier_f1(found: str, wanted: str, language: str) -> float | None:
    """F1 of the distinct identifiers; None where the reference has none."""
    there, expected = identifiers(found, language), identifiers(wanted, language)
    if not expected:
        return None
    return 2 * len(there & expected) / (len(there) + len(expected))

"""Which measures a task's answers get, and how far they are compared.

A completion is compared over the reference's first statement, as CrossCodeEval does (Ding et al.
2023, arXiv:2310.11248; RepoBench, Liu et al. 2023, takes one line), and the answer is cut to as
many lines; beside that, its similarity over all lines that can be written in the tokens allowed
to an answer. A text is compared with as many of the reference's first words as can be. So no model
is marked down for the limit of tokens. An answer that ends early lacks something and loses by it;
code that runs on loses nothing here: whether a model knows where to end is in its loss, which
counts the end-of-turn token.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from repo_tune_pipeline.evaluation.bootstrap import Terms
from repo_tune_pipeline.evaluation.measures.completions import (
    edit_similarity,
    first_lines,
    identifier_f1,
    statement_lines,
)
from repo_tune_pipeline.evaluation.measures.locations import exact_paths
from repo_tune_pipeline.evaluation.measures.names import Vocabulary, grounded_names
from repo_tune_pipeline.evaluation.measures.syntax import parses
from repo_tune_pipeline.evaluation.measures.texts import chrf, rouge_l
from repo_tune_pipeline.records import SftExample

_PROSE = frozenset({"code_explanation", "documentation", "domain", "repo_overview"})
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Reference:
    """The part of a reference that answers are compared with.

    Of a completion `text` has `lines` lines, the first `statement` of which are one statement;
    elsewhere both are 0.
    """

    text: str
    lines: int = 0
    statement: int = 0


def reference_of(
    example: SftExample, max_tokens: int, count_tokens: Callable[[str], int]
) -> Reference:
    """What of the example's output can be written in `max_tokens` tokens."""
    if example.meta.task == "code_completion":
        lines = _fitting_lines(example.output, max_tokens, count_tokens)
        text = first_lines(example.output, lines)
        return Reference(text, lines, min(lines, statement_lines(text)))
    return Reference(_fitting_words(example.output, max_tokens, count_tokens))


def judge(
    example: SftExample, answer: str, reference: Reference, vocabulary: Vocabulary | None
) -> dict[str, Terms]:
    """Each measure of the example's task by its name, as a term above and below a ratio's line."""
    task, language = example.meta.task, example.meta.language
    values: dict[str, float | None] = {}
    if task == "code_completion":
        found = first_lines(answer, reference.statement)
        wanted = first_lines(reference.text, reference.statement)
        values["exact_match"] = float(found == wanted)
        values["edit_similarity"] = edit_similarity(found, wanted)
        values["identifier_f1"] = identifier_f1(found, wanted, language)
        whole = first_lines(answer, reference.lines)
        values["whole_similarity"] = edit_similarity(whole, reference.text)
        values["parses"] = parses(example.input, whole, reference.text, language)
    elif task == "code_location":
        values["path_match"] = exact_paths(answer, reference.text)
    else:
        values["chrf"] = chrf(answer, reference.text)
    if task in _PROSE:
        values["rouge_l"] = rouge_l(answer, reference.text)
    terms = {name: (value, 1.0) for name, value in values.items() if value is not None}
    if vocabulary is not None:
        there, named = grounded_names(answer, vocabulary)
        terms["grounding"] = (float(there), float(named))
    return terms


def _fitting_lines(reference: str, max_tokens: int, count_tokens: Callable[[str], int]) -> int:
    lines = reference.strip("\r\n").split("\n")
    fitting = 1
    while fitting < len(lines):
        if count_tokens("\n".join(lines[: fitting + 1])) > max_tokens:
            break
        fitting += 1
    return fitting


def _fitting_words(reference: str, max_tokens: int, count_tokens: Callable[[str], int]) -> str:
    if count_tokens(reference) <= max_tokens:
        return reference
    ends = [word.end() for word in _WORD.finditer(reference)] or [len(reference)]
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(reference[: ends[middle]]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return reference[: ends[low]]

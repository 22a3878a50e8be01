"""Whether code with a completion in it parses."""

from __future__ import annotations

from repo_tune_pipeline.chunking import syntax_errors

MISSING = "<<<MISSING>>>"
"""Stands in a question for the lines to write."""


def parses(shown: str, found: str, wanted: str, language: str) -> float | None:
    """1 where the code with the answer has no more syntax errors than with the reference, else 0.

    So a definition that is shown in part, or cut where the answer may end, counts too.

    Args:
        shown: the code of the question.
        found: the answer, as far as it is compared.
        wanted: the reference, as far.
        language: as Linguist names it.

    Returns:
        None for a language without a grammar.
    """
    with_reference = syntax_errors(_filled(shown, wanted), language)
    if with_reference is None:
        return None
    with_answer = syntax_errors(_filled(shown, found), language)
    return float(with_answer is not None and with_answer <= with_reference)


def _filled(shown: str, text: str) -> str:
    before, marked, after = shown.partition(f"{MISSING}\n")
    return f"{before}{text}\n{after}" if marked else f"{shown}{text}\n"

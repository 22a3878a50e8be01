"""How close a generated completion is to what stands in the file.

The rule. Compared are the first N lines, where N is the number of whole lines of the reference
that can be written in the tokens allowed to an answer (at least one). The answer is cut to N
lines too, as repository-level benchmarks cut it to the reference's extent (RepoBench, Liu et al.
2023, one line; CrossCodeEval, Ding et al. 2023, one statement). So neither cell is marked down
for the limit of tokens, and an answer that ends early lacks lines and loses by it. An answer that
runs on loses nothing here: whether a model knows where to end is in its loss, which counts the
end-of-turn token. Trailing blanks of each line and blanks around the whole are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from repo_tune_pipeline.models.protocol import Answer


@dataclass(frozen=True, slots=True)
class Judged:
    """One generated completion: its whole text, and how its first lines compare."""

    text: str
    finished: bool
    exact: bool
    similarity: float


def judge(answer: Answer, reference: str, lines: int) -> Judged:
    """Compare the first `lines` lines of an answer with those of the reference."""
    found, wanted = first_lines(answer.text, lines), first_lines(reference, lines)
    return Judged(answer.text, answer.finished, found == wanted, edit_similarity(found, wanted))


def window_lines(reference: str, max_tokens: int, count_tokens: Callable[[str], int]) -> int:
    """How many whole lines of the reference fit `max_tokens` tokens, and at least one."""
    lines = reference.strip("\r\n").split("\n")
    fitting = 1
    while fitting < len(lines):
        if count_tokens("\n".join(lines[: fitting + 1])) > max_tokens:
            break
        fitting += 1
    return fitting


def first_lines(text: str, lines: int) -> str:
    """The first `lines` lines, without blanks at their ends and around the whole."""
    kept = text.strip("\r\n").split("\n")[:lines]
    return "\n".join(line.rstrip() for line in kept).strip()


def edit_similarity(found: str, wanted: str) -> float:
    """1 - Levenshtein distance / length of the longer one, in characters; 1 for two empty ones.

    The distance is Levenshtein's (1966), computed by RapidFuzz.
    """
    longer = max(len(found), len(wanted))
    return 1.0 - Levenshtein.distance(found, wanted) / longer if longer else 1.0

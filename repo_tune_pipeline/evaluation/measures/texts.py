"""How close a generated text is to the reference."""

from __future__ import annotations

from functools import lru_cache

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.chrf import CHRF


def chrf(found: str, wanted: str) -> float:
    """chrF (Popović 2015), 0 to 1: F2 over runs of up to six characters, computed by sacreBLEU."""
    return _chrf().sentence_score(found, [wanted]).score / 100


def rouge_l(found: str, wanted: str) -> float:
    """ROUGE-L (Lin 2004), 0 to 1: F1 of the longest common subsequence of words, by rouge-score."""
    return float(_rouge().score(wanted, found)["rougeL"].fmeasure)


@lru_cache(maxsize=1)
def _chrf() -> CHRF:
    return CHRF()


@lru_cache(maxsize=1)
def _rouge() -> RougeScorer:
    return RougeScorer(["rougeL"])

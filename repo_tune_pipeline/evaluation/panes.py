"""One example as it is shown: where it stands, what was asked, and the texts side by side."""

from __future__ import annotations

from typing import Any

from repo_tune_pipeline.evaluation.cells import (
    ADAPTER_PLAIN,
    ADAPTER_RETRIEVAL,
    BASE_PLAIN,
    Cell,
)
from repo_tune_pipeline.evaluation.examples import gained_bits, similarity
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.safe_text import one_line

_PROMPT_LINES = 14
_PROMPT_CHARS = 1_200
_REFERENCE_LINES = 24
_BEYOND_LINES = 6
_COMMIT_DIGITS = 10
_SHOWN = (BASE_PLAIN, ADAPTER_PLAIN, ADAPTER_RETRIEVAL)


def example_view(prediction: Prediction) -> dict[str, Any]:
    """What the page's template shows of one prediction; texts are still those of the file."""
    example, meta = prediction.example, prediction.example.meta
    commit = f" @ {meta.commit[:_COMMIT_DIGITS]}" if meta.commit else ""
    lines = prediction.reference.lines if prediction.reference else 0
    shown = lines or _REFERENCE_LINES
    return {
        "where": f"{meta.repo}{commit} · {meta.path}:{meta.start_line}–{meta.end_line}",
        "gain": _gain(prediction),
        "asked": example.instruction,
        "prompt": _tail(example.input),
        "sources": [one_line(source) for source in prediction.sources],
        "panes": [
            _pane("What stands in the file", example.output, shown),
            *(
                _pane(_titled(prediction, cell), outcome.answer.text, shown)
                for cell, outcome in prediction.outcomes.items()
                if outcome.answer is not None and cell in _SHOWN
            ),
        ],
    }


def _gain(prediction: Prediction) -> str:
    bits = gained_bits(prediction)
    words = f"{abs(bits):.2f} bits per byte {'fewer' if bits >= 0 else 'more'}"
    base, adapter = (similarity(prediction, cell) for cell in (BASE_PLAIN, ADAPTER_PLAIN))
    if base is None or adapter is None:
        return words
    return f"edit similarity {base:.2f} → {adapter:.2f} · {words}"


def _titled(prediction: Prediction, cell: Cell) -> str:
    alike = similarity(prediction, cell)
    name = cell.title.capitalize()
    return name if alike is None else f"{name}, {alike:.2f} alike"


def _pane(title: str, text: str, lines: int) -> dict[str, str]:
    """The compared lines, and dimmed after them what the comparison leaves out."""
    whole = text.strip("\r\n").split("\n")
    rest = whole[lines:]
    cut = rest[:_BEYOND_LINES]
    beyond = "\n".join(cut) + ("\n…" if len(rest) > len(cut) else "")
    return {"title": title, "text": "\n".join(whole[:lines]), "beyond": beyond}


def _tail(text: str) -> str:
    """The end of a prompt: what stands directly before the answer."""
    lines = text.split("\n")
    kept = "\n".join(lines[-_PROMPT_LINES:])[-_PROMPT_CHARS:]
    return kept if len(kept) == len(text) else f"…\n{kept}"

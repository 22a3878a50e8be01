"""One example as it is shown: where it stands, what was asked, and the texts side by side."""

from __future__ import annotations

from typing import Any

from repo_tune_pipeline.evaluation.examples import gained_bits
from repo_tune_pipeline.evaluation.predictions import Prediction

_PROMPT_LINES = 14
_PROMPT_CHARS = 1_200
_REFERENCE_LINES = 24
_BEYOND_LINES = 6
_COMMIT_DIGITS = 10


def example_view(prediction: Prediction) -> dict[str, Any]:
    """What the page's template shows of one prediction; texts are still those of the file."""
    example, meta = prediction.example, prediction.example.meta
    commit = f" @ {meta.commit[:_COMMIT_DIGITS]}" if meta.commit else ""
    shown = prediction.lines or _REFERENCE_LINES
    return {
        "where": f"{meta.repo}{commit} · {meta.path}:{meta.start_line}–{meta.end_line}",
        "gain": _gain(prediction),
        "asked": example.instruction,
        "prompt": _tail(example.input),
        "panes": [
            _pane("What stands in the file", example.output, shown),
            *(
                _pane(f"{name}, {judged.similarity:.2f} alike", judged.text, prediction.lines)
                for name, judged in (
                    (cell.capitalize(), prediction.judged[cell]) for cell in prediction.judged
                )
            ),
        ],
    }


def _gain(prediction: Prediction) -> str:
    bits = gained_bits(prediction)
    words = f"{abs(bits):.2f} bits per byte {'fewer' if bits >= 0 else 'more'}"
    if not prediction.judged:
        return words
    base, adapter = prediction.judged["base"], prediction.judged["adapter"]
    exact = ", exact" if adapter.exact else ""
    return f"edit similarity {base.similarity:.2f} → {adapter.similarity:.2f}{exact} · {words}"


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

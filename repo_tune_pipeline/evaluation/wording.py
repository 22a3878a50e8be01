"""Numbers and names as people read them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


def signed(value: float) -> str:
    """Three decimals with a typographic sign; no sign on zero."""
    text = f"{abs(value):.3f}"
    if not float(text):
        return text
    return f"{'−' if value < 0 else '+'}{text}"


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: float) -> str:
    """A share as per cent with its sign, one decimal."""
    text = f"{100 * abs(share):.1f} %"
    return text if text == "0.0 %" else f"{'−' if share < 0 else '+'}{text}"


def without_place(source: str) -> str:
    """A model or a repository as it was named; where that says where it lies, its last part."""
    url = urlsplit(source)
    path = Path(unquote(url.path) if url.scheme == "file" else source)
    return path.name if path.is_absolute() or source.startswith("~") else source

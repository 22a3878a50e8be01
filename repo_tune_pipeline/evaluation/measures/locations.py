"""Whether an answer names the files that it was asked for."""

from __future__ import annotations

import re

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(
    r"[^\s`:,;()\[\]{}<>\"']*[^\s`:,;()\[\]{}<>\"'/.]\.[A-Za-z0-9_]+|[^\s`]+/[^\s`]+"
)


def paths_in(text: str) -> frozenset[str]:
    """Paths in code spans, outside of blocks of code."""
    spans = _CODE.findall(_FENCED.sub("", text))
    return frozenset(span for span in spans if _PATH.fullmatch(span))


def exact_paths(found: str, wanted: str) -> float | None:
    """1 where an answer names the reference's paths and no others, else 0; None without any."""
    expected = paths_in(wanted)
    return float(paths_in(found) == expected) if expected else None

"""Jupyter notebooks without what running them left behind.

Outputs, attachments and the state of widgets are results, images and logs, not sources; secrets
like to hide there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import orjson

NOTEBOOK = "Jupyter Notebook"
MAX_NOTEBOOK_BYTES = 64 * 1024 * 1024
# More would take too much memory to read.
_MOST_VALUES = {b"{": 500_000, b"[": 500_000, b",": 4_000_000}


def without_outputs(data: bytes, max_bytes: int) -> tuple[str, str]:
    """The reason to drop a notebook, or an empty one and its JSON, indented by one blank.

    Each cell keeps its source; its outputs are an empty list.
    """
    if any(data.count(mark) > most for mark, most in _MOST_VALUES.items()):
        return "bad_notebook", ""
    try:
        loaded: object = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return "bad_notebook", ""
    book = cast(dict[str, Any], loaded if isinstance(loaded, dict) else {})
    if not isinstance(book.get("cells", book.get("worksheets")), list):
        return "bad_notebook", ""
    for cell in _cells(book):
        cell.pop("attachments", None)
        if "outputs" in cell:
            cell["outputs"] = []
    if isinstance(about := book.get("metadata"), dict):
        cast(dict[str, Any], about).pop("widgets", None)
    if len(orjson.dumps(book)) > max_bytes:
        return "too_large", ""
    return "", json.dumps(book, ensure_ascii=False, indent=1) + "\n"


def _cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The cells; until version 3 of the format they lay in worksheets."""
    sheets = book.get("worksheets")
    for holder in (book, *(cast(list[object], sheets) if isinstance(sheets, list) else ())):
        cells = cast(dict[str, Any], holder).get("cells") if isinstance(holder, dict) else None
        for cell in cast(list[object], cells) if isinstance(cells, list) else ():
            if isinstance(cell, dict):
                yield cast(dict[str, Any], cell)

"""A dataset for people: a summary, then examples with their lines one under the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from repo_tune_pipeline.sft.lines import encode


def readable(summary: Mapping[str, object], lines: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The bytes of `sft_readable.json`, from (side, JSON line) pairs, piece by piece."""
    head = encode(summary, orjson.OPT_INDENT_2).replace(b"\n", b"\n  ")
    yield b'{\n  "summary": ' + head + b',\n  "examples": ['
    separator = b"\n    "
    for side, line in lines:
        entry = encode(_entry(side, orjson.loads(line)), orjson.OPT_INDENT_2)
        yield separator + entry.replace(b"\n", b"\n    ")
        separator = b",\n    "
    yield b"\n  ]\n}\n"


def _entry(side: str, row: dict[str, Any]) -> dict[str, object]:
    meta = row["meta"]
    return {
        "task": meta["task"],
        "side": side,
        "instruction": _shown(row["instruction"]),
        "input": _shown(row["input"]),
        "output": _shown(row["output"]),
        "from": f"{meta['repo']} {meta['path']}:{meta['start_line']}-{meta['end_line']}",
        "symbol": meta["symbol"],
        "language": meta["language"],
        "license": meta["license"],
        "origin": meta["origin"],
        "commit": meta["commit"],
        "id": meta["id"],
    }


def _shown(text: str) -> str | list[str]:
    return text.split("\n") if "\n" in text else text

"""Metadata for people: tables and samples as Markdown, folders as links."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from repo_tune_pipeline.records import Funnel, SftExample

_STYLE = (
    "line{stroke:#bbb}text{fill:#777;font:10px sans-serif}"
    "polyline{fill:none;stroke:#4f43dd;stroke-width:2}circle{fill:#4f43dd}"
)

Metadata = dict[str, Any]
"""What an asset shows in the UI: Dagster takes numbers, text and its own metadata values."""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> dg.MarkdownMetadataValue:
    """A Markdown table; cells are escaped, so repository text stays text."""
    lines = [
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows),
    ]
    return dg.MetadataValue.md("\n".join(lines))


def counts(title: str, values: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """A two-column table, largest count first."""
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return table((title, "count"), ordered)


def funnel(counted: Funnel) -> dg.MarkdownMetadataValue:
    """Seen, kept and every reason for a drop."""
    rows = [("seen", counted.seen), ("kept", counted.kept)]
    rows += [(f"dropped: {reason}", n) for reason, n in counted.dropped.items()]
    return table(("funnel", "count"), rows)


def sample(examples: Sequence[SftExample], count: int = 10) -> dg.MarkdownMetadataValue:
    """The first examples, shortened to fit a table."""
    rows = [
        (
            example.meta.task,
            f"{example.meta.path}:{example.meta.start_line}",
            example.instruction,
            _short(example.input),
            _short(example.output),
        )
        for example in examples[:count]
    ]
    return table(("task", "source", "instruction", "input", "output"), rows)


def picture(svg: str, width: int) -> dg.MarkdownMetadataValue:
    """An SVG as an inline image; it can't take the page's styles, so it brings its own."""
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
    styled = svg.replace("<svg ", opening, 1).replace(">", f"><style>{_STYLE}</style>", 1)
    encoded = base64.b64encode(styled.encode()).decode()
    return dg.MetadataValue.md(f"![plot](data:image/svg+xml;base64,{encoded})")


def path(value: Path) -> dg.PathMetadataValue:
    """A file or folder of this machine."""
    return dg.MetadataValue.path(value)


def _short(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.translate(_ESCAPES).split())


_ESCAPES = str.maketrans(
    {"<": "&lt;", ">": "&gt;", "&": "&amp;"} | {mark: f"\\{mark}" for mark in "\\|`[]*_"}
)

"""The shared vocabulary: what one stage hands to the next, with Arrow schemas for storage.

What comes by the ten thousand is a msgspec Struct: making a frozen dataclass takes ten times as
long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

import msgspec
import pyarrow as pa

ChunkKind = Literal["function", "method", "type", "test", "module", "section"]
TaskName = Literal[
    "code_explanation",
    "code_completion",
    "documentation",
    "domain",
    "code_location",
    "api_usage",
    "test_generation",
    "change",
    "repo_overview",
]
Origin = str
"""`docstring`, `document`, `source`, `history` or `teacher:<model>`."""
TASKS: tuple[TaskName, ...] = get_args(TaskName)
Stage = Literal["ingestion", "chunking", "sft"]
STAGES: tuple[Stage, ...] = get_args(Stage)

NO_ASSERTION = "NOASSERTION"
"""SPDX's word for "no licence is claimed"."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One kept text file of one commit.

    `text` is the decoded blob, unchanged: lines are separated by ``"\\n"`` and a ``"\\r"`` before
    it stays part of its line, so that line numbers and slices are those of the blob. Secrets and
    personal data in it are redacted in place: that never changes the number of lines. `flags` say
    what a reader should know: `redacted`, `bidi_controls`, `zero_width`, `utf-16`,
    `latin-1`, `outputs_removed` (a notebook, as JSON without its outputs).
    `changed` is the date of the last commit that touched it (ISO 8601), or empty where the history
    isn't there.
    """

    path: str
    blob: str
    size: int
    language: str
    license: str
    text: str
    flags: tuple[str, ...] = ()
    changed: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of one path of the commit. `reason` is empty for a kept file."""

    path: str
    blob: str
    size: int
    language: str
    reason: str
    license: str = ""
    flags: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Change:
    """One hunk of a small commit with a single purpose, secrets redacted.

    `commit` made the change; `start_line` to `end_line` are the rows of `path` after it. `hunk` is
    the body of a unified diff: lines that begin with a blank, ``-`` or ``+``.
    """

    commit: str
    date: str
    subject: str
    body: str
    path: str
    language: str
    license: str
    hunk: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One repository at one commit: every path in `ledger`, the kept ones also in `files`.

    Both are sorted by path. `changes` are hunks of its history, newest commit first; empty where
    there is no history. `source` is what the user named, without credentials; `notice` is
    something the user should be told (uncommitted work was left out, say), or empty.
    """

    repo: str
    commit: str
    source: str
    ref: str
    files: tuple[SourceFile, ...]
    ledger: tuple[LedgerEntry, ...]
    notice: str = ""
    changes: tuple[Change, ...] = ()


class CodeChunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One function, method, type, test, module header or document section.

    `source` is exactly the lines `start_line` to `end_line` (1-based, inclusive) of the file,
    joined by ``"\\n"``, without the last line's end. `doc_span` is where the docstring or leading
    comment stands in `source`, markers included, as character offsets (start, end); `docstring`
    is its text without markers. `cut_points` are ascending character offsets in `source`, each
    the beginning of a line on which a statement of the body begins: the places where a
    completion may be cut. `attributes` are its decorators, annotations or attributes as written,
    without line breaks. A definition that is too long for one chunk is several, cut between
    statements: `part` is this one's number (from 1) of how many, `source` its slice alone, and
    `signature` the whole definition's, to be shown above it.
    """

    chunk_id: str
    repo: str
    commit: str
    path: str
    language: str
    license: str
    kind: ChunkKind
    symbol: str
    signature: str
    docstring: str
    doc_span: tuple[int, int] | None
    source: str
    start_line: int
    end_line: int
    cut_points: tuple[int, ...] = ()
    callees: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    part: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class ExampleMeta:
    """Where an example comes from; the lines are 1-based and inclusive."""

    id: str
    task: TaskName
    repo: str
    commit: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    language: str
    license: str
    origin: Origin
    chunk_id: str


@dataclass(frozen=True, slots=True)
class SftExample:
    """One line of `sft.jsonl` or `heldout.jsonl`."""

    instruction: str
    input: str
    output: str
    meta: ExampleMeta


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line of `rejects.jsonl`: what was dropped, where, at which stage and why."""

    stage: Stage
    reason: str
    repo: str
    path: str
    start_line: int = 0
    end_line: int = 0
    symbol: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True)
class Funnel:
    """Seen = kept + dropped, at one stage."""

    stage: Stage
    seen: int
    kept: int
    dropped: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(cls, stage: Stage, kept: int, reasons: Iterable[str]) -> Funnel:
        """Count one funnel; `reasons` holds one entry for each thing dropped."""
        dropped = dict(sorted(Counter(reasons).items()))
        return cls(stage, kept + sum(dropped.values()), kept, dropped)

    def as_dict(self) -> dict[str, object]:
        return {"seen": self.seen, "kept": self.kept, "dropped": self.dropped}


SOURCE_FILE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("blob", pa.string()),
        ("size", pa.int64()),
        ("language", pa.string()),
        ("license", pa.string()),
        ("flags", pa.list_(pa.string())),
        ("changed", pa.string()),
    ]
)
"""Without the text, which is kept by content."""
LEDGER_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("blob", pa.string()),
        ("size", pa.int64()),
        ("language", pa.string()),
        ("reason", pa.string()),
        ("license", pa.string()),
        ("flags", pa.list_(pa.string())),
    ]
)
CHANGE_SCHEMA = pa.schema(
    [
        ("commit", pa.string()),
        ("date", pa.string()),
        ("subject", pa.string()),
        ("body", pa.string()),
        ("path", pa.string()),
        ("language", pa.string()),
        ("license", pa.string()),
        ("hunk", pa.string()),
        ("start_line", pa.int64()),
        ("end_line", pa.int64()),
    ]
)

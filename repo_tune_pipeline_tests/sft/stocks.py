"""Repositories as the stages before leave them, from texts, for tests of the data set."""

from __future__ import annotations

from pathlib import Path

from repo_tune_pipeline.chunking import save_chunks
from repo_tune_pipeline.ingestion import save_snapshot
from repo_tune_pipeline.ingestion.objects import blob_id
from repo_tune_pipeline.records import Change, LedgerEntry, Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings
from repo_tune_pipeline.sft import Stock

LANGUAGES = {"py": "Python", "md": "Markdown", "go": "Go", "res": "ReScript", "js": "JavaScript"}

FUNCTION = '''"""Part {number} of the {word} library."""

import json


def load_{word}_{number}(path, default={number}):
    """Read the {word} setting number {number} from the configuration file.

    A missing file gives the default.
    """
    text = read_text(path)
    if not text:
        return default
    values = json.loads(text)
    {body}
    return values["{word}_{number}"]


def check_{word}_{number}(values):
    """Compare the {word} values of part {number} with what part {number} allows."""
    for name, value in values.items():
        if value > {number}:
            raise ValueError(f"{{name}} is over the {word} limit {number}")
    return load_{word}_{number}(values["path"])
'''


def stocked(
    home: Path,
    sources: dict[str, str],
    *,
    repo: str = "acme/tools",
    commit: str = "c" * 40,
    changed: dict[str, str] | None = None,
    changes: tuple[Change, ...] = (),
    dropped: dict[str, str] | None = None,
) -> Stock:
    """One repository; `changed` are dates by path, `dropped` reasons by path."""
    files = tuple(
        SourceFile(
            path,
            blob_id(text.encode("utf-8", "surrogatepass")),
            len(text),
            LANGUAGES[path.rsplit(".", 1)[1]],
            "MIT",
            text,
            (),
            (changed or {}).get(path, ""),
        )
        for path, text in sorted(sources.items())
    )
    kept = [LedgerEntry(f.path, f.blob, f.size, f.language, "", "MIT") for f in files]
    gone = [LedgerEntry(path, "", 1, "", reason) for path, reason in (dropped or {}).items()]
    ledger = tuple(sorted([*kept, *gone], key=lambda entry: entry.path))
    snapshot = Snapshot(repo, commit, repo, "", files, ledger, "", changes)
    place = home / repo
    save_snapshot(place / "snapshot", snapshot)
    save_chunks(place / "chunks", snapshot, ChunkingSettings())
    return Stock(repo, place / "snapshot", place / "chunks")


def library(count: int = 30, word: str = "alpha") -> dict[str, str]:
    """Files with two documented functions each, all different, enough for both sides.

    The body differs by more than names: otherwise they would be copies of each other.
    """
    sources: dict[str, str] = {}
    for number in range(count):
        steps = [
            f"values = {word}_step_{(number * 7 + step * 13) % 97}(values, {step}, mode={step % 3})"
            for step in range(4 + number % 5)
        ]
        body = "\n    ".join(steps)
        text = FUNCTION.format(number=number, word=word, body=body)
        sources[f"pkg/{word}_{number}.py"] = text
    return sources

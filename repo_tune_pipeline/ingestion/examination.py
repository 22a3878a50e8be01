"""One file judged by its bytes alone: kept with its redacted text, or dropped with one reason."""

from __future__ import annotations

from dataclasses import dataclass

from repo_tune_pipeline.ingestion.attributes import NOTHING, Said
from repo_tune_pipeline.ingestion.content import judge_content
from repo_tune_pipeline.ingestion.headers import license_of_header
from repo_tune_pipeline.secrets import redact

EXAMINER_VERSION = "1"
"""Raised whenever the same bytes would be judged, redacted or flagged otherwise."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What one file's bytes tell: a `reason` to drop it, or its redacted text.

    `license` is what its header names, or empty.
    """

    reason: str
    language: str
    text: str = ""
    flags: tuple[str, ...] = ()
    license: str = ""


def examine(path: str, data: bytes, max_file_bytes: int, said: Said = NOTHING) -> Examined:
    """Judge one file by its bytes and by what the attributes say of it, and nothing else."""
    content = judge_content(path, data, max_file_bytes, said)
    if content.reason:
        return Examined(content.reason, content.language)
    redacted = redact(content.text, path)
    flags = {*content.flags, *(("redacted",) if redacted.kinds else ())}
    license_id = license_of_header(content.text, content.language)
    return Examined("", content.language, redacted.text, tuple(sorted(flags)), license_id)

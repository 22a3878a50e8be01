"""Every path of a source judged: kept with its text, or dropped with one reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.gates import Content, PathFilter, judge_content, reason_of_path
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.ingestion.licenses import (
    MAX_LICENSE_BYTES,
    is_license_name,
    license_of_header,
    license_of_texts,
)
from repo_tune_pipeline.records import LedgerEntry, SourceFile
from repo_tune_pipeline.settings import IngestionSettings

MAX_TEXT_BYTES = 512 * 1024 * 1024
"""All candidates of a snapshot are held in memory: more than this is refused."""


@dataclass(frozen=True)
class Wanted:
    """Which entries are read.

    `candidates` may be kept; `read` has them and the licence texts; `reasons` has every path,
    with an empty reason for a candidate.
    """

    candidates: list[Entry]
    read: list[Entry]
    reasons: dict[bytes, str]


@dataclass(frozen=True)
class Sifted:
    """What became of all entries; `contents` are those that were read, with their blobs."""

    files: list[SourceFile]
    ledger: list[LedgerEntry]
    candidates: list[Entry]
    contents: list[Entry]


def choose(entries: Sequence[Entry], settings: IngestionSettings, shown: str) -> Wanted:
    """Decide by path, kind and size which entries are read.

    Raises:
        SourceError: they are more than fits into memory; `shown` names the source there.
        ConfigError: a pattern of the settings can't be understood.
    """
    filters = PathFilter(settings)
    reasons = {entry.path: _path_reason(entry, filters, settings) for entry in entries}
    candidates = [entry for entry in entries if not reasons[entry.path]]
    if sum(entry.size for entry in candidates) > MAX_TEXT_BYTES:
        raise SourceError(
            f"{shown} holds more than {MAX_TEXT_BYTES >> 20} MiB of source text.",
            "Take less of it with `ingestion.include` and `ingestion.exclude`.",
        )
    extra = [entry for entry in entries if reasons[entry.path] and _holds_license(entry)]
    return Wanted(candidates, candidates + extra, reasons)


def _path_reason(entry: Entry, filters: PathFilter, settings: IngestionSettings) -> str:
    if entry.reason:
        return entry.reason
    try:
        path = entry.path.decode()
    except UnicodeDecodeError:
        return "path_not_utf8"
    return reason_of_path(path, entry.size, filters, settings.max_file_bytes)


def _holds_license(entry: Entry) -> bool:
    small = 0 < entry.size <= MAX_LICENSE_BYTES
    return small and not entry.reason and is_license_name(entry.path.decode("utf-8", "replace"))


def sift(entries: Sequence[Entry], read: Read, settings: IngestionSettings, shown: str) -> Sifted:
    """Judge every entry; files and ledger come out sorted by path."""
    wanted = choose(entries, settings, shown)
    reasons = dict(wanted.reasons)
    files: list[SourceFile] = []
    licenses: dict[str, str] = {}
    found: dict[bytes, Entry] = {}
    languages: dict[bytes, str] = {}
    for entry, data in read(wanted.read):
        path = entry.path.decode()
        found[entry.path] = entry
        content = _judge(entry, data)
        if data is not None and _holds_license(entry):
            licenses[path] = data.decode("utf-8", "replace")
        if wanted.reasons[entry.path]:
            continue
        reasons[entry.path] = content.reason
        languages[entry.path] = content.language
        if not content.reason:
            license_id = license_of_header(content.text)
            files.append(_source_file(path, entry, content, license_id))
    whole = license_of_texts(licenses)
    kept = [file if file.license else replace(file, license=whole) for file in files]
    return Sifted(
        files=sorted(kept, key=lambda file: file.path),
        ledger=_ledger([found.get(entry.path, entry) for entry in entries], reasons, languages),
        candidates=wanted.candidates,
        contents=[entry for entry in found.values() if entry.blob],
    )


def _judge(entry: Entry, data: bytes | None) -> Content:
    path = entry.path.decode()
    if data is None:
        return Content("missing_blob" if entry.blob else "unreadable", language_of_path(path))
    return judge_content(path, data)


def _source_file(path: str, entry: Entry, content: Content, license_id: str) -> SourceFile:
    return SourceFile(
        path=path,
        blob=entry.blob,
        size=entry.size,
        language=content.language,
        license=license_id,
        text=content.text,
    )


def _ledger(
    entries: Sequence[Entry], reasons: dict[bytes, str], languages: dict[bytes, str]
) -> list[LedgerEntry]:
    taken = {entry.path.decode() for entry in entries if _is_utf8(entry.path)}
    ledger: list[LedgerEntry] = []
    for entry in entries:
        path = entry.path.decode("utf-8", "backslashreplace")
        while not _is_utf8(entry.path) and path in taken:
            path += "\\"  # a path that has these very backslashes is in the commit, too
        taken.add(path)
        language = languages.get(entry.path) or language_of_path(path)
        ledger.append(LedgerEntry(path, entry.blob, entry.size, language, reasons[entry.path]))
    return sorted(ledger, key=lambda row: row.path)


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True

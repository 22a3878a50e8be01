"""Every path of a source judged: kept with its text, or dropped with one reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.attributes import MAX_ATTRIBUTES_BYTES, Attributes
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.gates import PathFilter, judge_content, reason_of_path
from repo_tune_pipeline.ingestion.languages import language_named, language_of_path
from repo_tune_pipeline.ingestion.licenses import (
    MAX_LICENSE_BYTES,
    Governing,
    is_allowed,
    is_license_name,
    license_of_header,
)
from repo_tune_pipeline.records import LedgerEntry, SourceFile
from repo_tune_pipeline.secrets import holds_secret, redact
from repo_tune_pipeline.settings import IngestionSettings, LicenseSettings


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
    if sum(entry.size for entry in candidates) > settings.max_text_bytes:
        raise SourceError(
            f"{shown} holds more than {settings.max_text_bytes:,} bytes of source text.",
            "Take less of it with `ingestion.include` and `ingestion.exclude`.",
        )
    extra = [entry for entry in entries if reasons[entry.path] and _is_notice(entry)]
    return Wanted(candidates, candidates + extra, reasons)


def _path_reason(entry: Entry, filters: PathFilter, settings: IngestionSettings) -> str:
    if entry.reason:
        return entry.reason
    try:
        path = entry.path.decode()
    except UnicodeDecodeError:
        return "path_not_utf8"
    reason = reason_of_path(path, entry.size, filters, settings.max_file_bytes)
    return reason or ("secret_in_path" if holds_secret(path) else "")


def _is_notice(entry: Entry) -> bool:
    """Whether an entry is small text that says something of others: a licence or attributes."""
    path = entry.path.decode("utf-8", "replace")
    if entry.reason or "\ufffd" in path:
        return False
    if path.rpartition("/")[2] == ".gitattributes":
        return 0 < entry.size <= MAX_ATTRIBUTES_BYTES
    return 0 < entry.size <= MAX_LICENSE_BYTES and is_license_name(path)


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


def examine(path: str, data: bytes, language: str = "") -> Examined:
    """Judge one file by its bytes alone; `language` is what the attributes say, or empty."""
    content = judge_content(path, data, language)
    if content.reason:
        return Examined(content.reason, content.language)
    redacted = redact(content.text, path)
    flags = {*content.flags, *(("redacted",) if redacted.kinds else ())}
    license_id = license_of_header(content.text, content.language)
    return Examined("", content.language, redacted.text, tuple(sorted(flags)), license_id)


def sift(
    entries: Sequence[Entry],
    read: Read,
    settings: IngestionSettings,
    shown: str,
    *,
    repo: str = "",
) -> Sifted:
    """Judge every entry; files and ledger come out sorted by path.

    `repo` is the owner/name that `licenses.trusted` is asked about; without one the source is
    taken for trusted.
    """
    wanted = choose(entries, settings, shown)
    found: dict[bytes, Entry] = {}
    notices = _read_notices([entry for entry in wanted.read if _is_notice(entry)], read, found)
    judge = _Judge(notices, settings.licenses, repo)
    files: list[SourceFile] = []
    rows: dict[bytes, LedgerEntry] = {}
    for entry, data in read(wanted.candidates):
        found[entry.path] = entry
        examined, license_id = judge.examined(entry, data)
        path = entry.path.decode()
        facts = (path, entry.blob, entry.size, examined.language)
        rows[entry.path] = LedgerEntry(*facts, examined.reason, license_id, examined.flags)
        if not examined.reason:
            files.append(SourceFile(*facts, license_id, examined.text, examined.flags))
    listed = [found.get(entry.path, entry) for entry in entries]
    return Sifted(
        files=sorted(files, key=lambda file: file.path),
        ledger=_ledger(listed, wanted.reasons, rows),
        candidates=wanted.candidates,
        contents=[entry for entry in found.values() if entry.blob],
    )


def _read_notices(
    entries: Sequence[Entry], read: Read, found: dict[bytes, Entry]
) -> dict[str, bytes]:
    notices: dict[str, bytes] = {}
    for entry, data in read(entries):
        found[entry.path] = entry
        if data is not None:
            notices[entry.path.decode()] = data
    return notices


class _Judge:
    """What a repository as a whole says about each of its files."""

    def __init__(self, notices: Mapping[str, bytes], licenses: LicenseSettings, repo: str) -> None:
        attributes = {path: data for path, data in notices.items() if not is_license_name(path)}
        texts = {path: data for path, data in notices.items() if path not in attributes}
        self._attributes = Attributes(attributes)
        self._governing = Governing({p: t.decode("utf-8", "replace") for p, t in texts.items()})
        self._allow = licenses.allow
        self._trusted = not repo or any(fnmatchcase(repo, name) for name in licenses.trusted)
        self._allowed: dict[str, bool] = {}

    def examined(self, entry: Entry, data: bytes | None) -> tuple[Examined, str]:
        """What became of a candidate, and its licence if it was kept."""
        path = entry.path.decode()
        reason = self._attributes.reason(path)
        if data is None and not reason:
            reason = "missing_blob" if entry.blob else "unreadable"
        if reason or data is None:
            return Examined(reason, language_of_path(path)), ""
        examined = examine(path, data, language_named(self._attributes.language(path)))
        if examined.reason:
            return examined, ""
        license_id = examined.license or self._governing.of(path)
        if not self._permits(license_id):
            return Examined("license_not_allowed", examined.language), license_id
        return examined, license_id

    def _permits(self, license_id: str) -> bool:
        if self._trusted and license_id == self._governing.root:
            return True
        if license_id not in self._allowed:
            self._allowed[license_id] = is_allowed(license_id, self._allow)
        return self._allowed[license_id]


def _ledger(
    entries: Sequence[Entry], reasons: Mapping[bytes, str], rows: Mapping[bytes, LedgerEntry]
) -> list[LedgerEntry]:
    plain = {entry.path: _is_utf8(entry.path) for entry in entries}
    taken = {entry.path.decode() for entry in entries if plain[entry.path]}
    ledger: list[LedgerEntry] = []
    for entry in entries:
        if entry.path in rows:
            ledger.append(rows[entry.path])
            continue
        path = entry.path.decode("utf-8", "backslashreplace")
        language = language_of_path(path)
        if holds_secret(path):
            path = redact(path).text
        while path in taken and path.encode() != entry.path:
            path += "\\"  # a path that is spelled like this one is shown is there, too
        taken.add(path)
        ledger.append(LedgerEntry(path, entry.blob, entry.size, language, reasons[entry.path]))
    return sorted(ledger, key=lambda row: row.path)


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True

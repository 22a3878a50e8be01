"""Every path of a source judged: kept with its text, or dropped with one reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from repo_tune_pipeline.ingestion.attributes import NOTHING, Attributes, Said
from repo_tune_pipeline.ingestion.choice import Wanted, choose
from repo_tune_pipeline.ingestion.content import judge_content
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.expressions import is_allowed
from repo_tune_pipeline.ingestion.headers import license_of_header
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.ingestion.licenses import Governing, is_license_name
from repo_tune_pipeline.ingestion.manifests import is_manifest_name
from repo_tune_pipeline.records import NO_ASSERTION, LedgerEntry, SourceFile
from repo_tune_pipeline.secrets import holds_secret, redact
from repo_tune_pipeline.settings import IngestionSettings

__all__ = ["Examined", "Sifted", "Wanted", "choose", "examine", "sift"]


@dataclass(frozen=True)
class Sifted:
    """What became of all entries; `contents` are those that were read, with their blobs."""

    files: list[SourceFile]
    ledger: list[LedgerEntry]
    candidates: list[Entry]
    contents: list[Entry]


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


def sift(
    entries: Sequence[Entry], read: Read, settings: IngestionSettings, shown: str, *, repo: str
) -> Sifted:
    """Judge every entry; files and ledger come out sorted by path.

    `repo` is the owner/name that `licenses.trusted` is asked about.

    Raises:
        SourceError, ConfigError: as `choose`.
    """
    wanted = choose(entries, read, settings, shown)
    found: dict[bytes, Entry] = {}
    judge = _Judge(_read_notices(wanted.notices, read, found), wanted.attributes, settings, repo)
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
) -> dict[str, str]:
    notices: dict[str, str] = {}
    for entry, data in read(entries):
        found[entry.path] = entry
        if data is not None:
            notices[entry.path.decode()] = data.decode("utf-8", "replace")
    return notices


class _Judge:
    """What a repository as a whole says about each of its files."""

    def __init__(
        self,
        notices: Mapping[str, str],
        attributes: Attributes,
        settings: IngestionSettings,
        repo: str,
    ) -> None:
        licenses = settings.licenses
        texts = {path: text for path, text in notices.items() if is_license_name(path)}
        manifests = {path: text for path, text in notices.items() if is_manifest_name(path)}
        self._governing = Governing(texts, manifests, licenses.min_similarity)
        self._attributes = attributes
        self._max_file_bytes = settings.max_file_bytes
        self._allow = licenses.allow
        self._trusted = any(fnmatchcase(repo, name) for name in licenses.trusted)
        self._allowed: dict[str, bool] = {}

    def examined(self, entry: Entry, data: bytes | None) -> tuple[Examined, str]:
        """What became of a candidate, and its licence if it was kept or dropped for that."""
        path = entry.path.decode()
        if data is None:
            reason = "missing_blob" if entry.blob else "unreadable"
            return Examined(reason, language_of_path(path)), ""
        examined = examine(path, data, self._max_file_bytes, self._attributes.of(path))
        if examined.reason:
            return examined, ""
        license_id = examined.license or self._governing.of(path)
        if not self._permits(path, license_id):
            return Examined("license_not_allowed", examined.language), license_id
        return examined, license_id

    def _permits(self, path: str, license_id: str) -> bool:
        """Whether a licence is allowed, or is the repository's own and that one is trusted."""
        if self._trusted and license_id == self._governing.root:
            # A text below the root that isn't recognised isn't the repository's own.
            return license_id != NO_ASSERTION or not self._governing.is_below_root(path)
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

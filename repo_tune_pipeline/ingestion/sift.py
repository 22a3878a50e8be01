"""Every path of a source judged: kept with its text, or dropped with one reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from repo_tune_pipeline.ingestion.choice import Wanted, choose
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.examination import Examined, examine
from repo_tune_pipeline.ingestion.examining import Examiner
from repo_tune_pipeline.ingestion.expressions import is_allowed
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.ingestion.licenses import Governing, is_license_name
from repo_tune_pipeline.ingestion.manifests import is_manifest_name
from repo_tune_pipeline.records import NO_ASSERTION, LedgerEntry, SourceFile
from repo_tune_pipeline.secrets import holding_secrets, redact
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline.shelf import Shelf

__all__ = ["Examined", "Sifted", "Wanted", "choose", "examine", "sift"]


@dataclass(frozen=True)
class Sifted:
    """What became of all entries; `contents` are those that were read, with their blobs."""

    files: list[SourceFile]
    ledger: list[LedgerEntry]
    candidates: list[Entry]
    contents: list[Entry]


def sift(
    entries: Sequence[Entry],
    read: Read,
    settings: IngestionSettings,
    shown: str,
    *,
    repo: str,
    memory: Shelf | None = None,
) -> Sifted:
    """Judge every entry; files and ledger come out sorted by path.

    `repo` is the owner/name that `licenses.trusted` is asked about; `memory` remembers what came
    of each content, so that what didn't change isn't read again.

    Raises:
        SourceError, ConfigError: as `choose`.
    """
    wanted = choose(entries, read, settings, shown)
    found: dict[bytes, Entry] = {}
    judge = _Judge(_read_notices(wanted.notices, read, found), settings, repo)
    examiner = Examiner(memory, settings.max_file_bytes, wanted.attributes.of)
    files: list[SourceFile] = []
    rows: dict[bytes, LedgerEntry] = {}
    for entry, outcome in examiner.examined(wanted.candidates, read):
        found[entry.path] = entry
        examined, license_id = judge.licensed(entry, outcome)
        path = entry.path.decode()
        facts = (path, entry.blob, entry.size, examined.language)
        rows[entry.path] = LedgerEntry(*facts, examined.reason, license_id, examined.flags)
        if not examined.reason:
            files.append(SourceFile(*facts, license_id, examined.text, examined.flags))
    examiner.forget_others()
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

    def __init__(self, notices: Mapping[str, str], settings: IngestionSettings, repo: str) -> None:
        licenses = settings.licenses
        texts = {path: text for path, text in notices.items() if is_license_name(path)}
        manifests = {path: text for path, text in notices.items() if is_manifest_name(path)}
        self._governing = Governing(texts, manifests, licenses.min_similarity)
        self._allow = licenses.allow
        self._trusted = any(fnmatchcase(repo, name) for name in licenses.trusted)
        self._allowed: dict[str, bool] = {}

    def licensed(self, entry: Entry, examined: Examined | None) -> tuple[Examined, str]:
        """What became of a candidate, and its licence if it was kept or dropped for that."""
        path = entry.path.decode()
        if examined is None:
            reason = "missing_blob" if entry.blob else "unreadable"
            return Examined(reason, language_of_path(path)), ""
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
    ledger = [rows[entry.path] for entry in entries if entry.path in rows]
    others = {
        entry.path: entry.path.decode("utf-8", "backslashreplace")
        for entry in entries
        if entry.path not in rows
    }
    secret = holding_secrets(others.values())
    for entry in entries:
        if entry.path not in others:
            continue
        path = others[entry.path]
        language = language_of_path(path)
        if path in secret:
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

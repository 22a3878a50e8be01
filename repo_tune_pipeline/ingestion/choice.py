"""Which entries of a source are read: by path, kind, size and what `.gitattributes` says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.attributes import MAX_ATTRIBUTES_BYTES, Attributes
from repo_tune_pipeline.ingestion.entries import Entry, Read
from repo_tune_pipeline.ingestion.gates import PathFilter, reason_of_path
from repo_tune_pipeline.ingestion.licenses import MAX_LICENSE_BYTES, is_license_name
from repo_tune_pipeline.ingestion.manifests import MAX_MANIFEST_BYTES, is_manifest_name
from repo_tune_pipeline.ingestion.vendored import is_vendored
from repo_tune_pipeline.secrets import holding_secrets
from repo_tune_pipeline.settings import IngestionSettings

_ATTRIBUTES = ".gitattributes"


@dataclass(frozen=True)
class Wanted:
    """Which entries are read.

    `candidates` may be kept; `notices` say something of others: attributes, licence texts and
    manifests; `read` has both, each once. `reasons` has every path, with an empty reason for a
    candidate.
    """

    candidates: list[Entry]
    notices: list[Entry]
    read: list[Entry]
    reasons: dict[bytes, str]
    attributes: Attributes


def choose(entries: Sequence[Entry], read: Read, settings: IngestionSettings, shown: str) -> Wanted:
    """Decide by path, kind and size which entries are read; the attributes are read for that.

    Raises:
        SourceError: they are more than fits into memory; `shown` names the source there.
        ConfigError: a pattern of the settings can't be understood.
    """
    attributes = _attributes(read, [e for e in entries if _name(e) == _ATTRIBUTES])
    filters = PathFilter(settings)
    reasons = {e.path: _path_reason(e, filters, settings, attributes) for e in entries}
    for path in holding_secrets(path.decode() for path, reason in reasons.items() if not reason):
        reasons[path.encode()] = "secret_in_path"
    notices = [entry for entry in entries if _is_notice(entry, attributes)]
    candidates = [entry for entry in entries if not reasons[entry.path]]
    wanted = candidates + [entry for entry in notices if reasons[entry.path]]
    if sum(min(e.size, settings.max_file_bytes) for e in wanted) > settings.max_text_bytes:
        raise SourceError(
            f"{shown} holds more than {settings.max_text_bytes:,} bytes of source text.",
            "Take less of it with `ingestion.include` and `ingestion.exclude`.",
        )
    return Wanted(candidates, notices, wanted, reasons, attributes)


def _attributes(read: Read, entries: Iterable[Entry]) -> Attributes:
    asked = [entry for entry in entries if _is_small_text(entry, MAX_ATTRIBUTES_BYTES)]
    found = read(asked) if asked else ()
    return Attributes({e.path.decode(): data for e, data in found if data is not None})


def _path_reason(
    entry: Entry, filters: PathFilter, settings: IngestionSettings, attributes: Attributes
) -> str:
    if entry.reason:
        return entry.reason
    try:
        path = entry.path.decode()
    except UnicodeDecodeError:
        return "path_not_utf8"
    return reason_of_path(path, entry.size, filters, settings.max_file_bytes, attributes.of(path))


def _is_notice(entry: Entry, attributes: Attributes) -> bool:
    """Whether an entry is a small text that says something of others."""
    if _name(entry) == _ATTRIBUTES:
        return _is_small_text(entry, MAX_ATTRIBUTES_BYTES)
    is_manifest = is_manifest_name(_name(entry))
    if not is_manifest and not is_license_name(_name(entry)):
        return False
    if not _is_small_text(entry, MAX_MANIFEST_BYTES if is_manifest else MAX_LICENSE_BYTES):
        return False
    path = entry.path.decode()
    return not is_vendored(path) or attributes.of(path).vendored is False


def _is_small_text(entry: Entry, limit: int) -> bool:
    if entry.reason or not 0 < entry.size <= limit:
        return False
    return "\ufffd" not in entry.path.decode("utf-8", "replace")


def _name(entry: Entry) -> str:
    return entry.path.rpartition(b"/")[2].decode("utf-8", "replace")

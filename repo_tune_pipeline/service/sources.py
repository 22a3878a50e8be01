"""Which repositories may be added over HTTP: those of named hosts and folders, and known ones."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from repo_tune_pipeline import ingestion
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import NotAllowedError
from repo_tune_pipeline.registry import Registered, known_repositories
from repo_tune_pipeline.settings import Settings


def allowed_source(
    source: str, ref: str, name: str, *, settings: Settings, home: Home
) -> Registered:
    """What is to be ingested, if the configuration lets it be.

    A known repository may be named by its `owner/name`, too. Nothing of this machine's file system
    outside of the named folders is looked at. That a host isn't at a private address, and leads to
    none, the ingestion itself sees to.

    Raises:
        NotAllowedError: neither known, nor of a host or below a folder that is named; or with
            credentials, which would be seen in the run's configuration.
        SourceError: it isn't a source at all.
    """
    if ref:
        ingestion.check_ref(ref)
    configured = [
        Registered(ingestion.repo_name(one.source, one.name), one.source, one.ref)
        for one in settings.repositories
    ]
    for entry in known_repositories(home, configured):
        if source in (entry.name, entry.source) and name in ("", entry.name):
            return Registered(entry.name, entry.source, ref or entry.ref)
    if "://" in source and not source.lower().startswith("file:"):
        remote = ingestion.parse_source(source, allow_ssh=settings.ingestion.allow_ssh)
        known = isinstance(remote, ingestion.Remote)
        if not known or remote.config or "@" in urlsplit(remote.url).netloc:
            raise NotAllowedError(
                "A source with a user or a token isn't taken over HTTP.",
                "Let the service's git find its credentials, or use `repo-tune ingest`.",
            )
        host = (urlsplit(remote.url).hostname or "").lower()
        if host not in {one.lower() for one in settings.service.hosts}:
            raise NotAllowedError(
                "Repositories of this host aren't added over HTTP.",
                "Name the host in `service.hosts`, or use `repo-tune ingest`.",
            )
    elif not _below_a_folder(source, settings.service.folders):
        raise NotAllowedError(
            "Folders of this machine aren't added over HTTP.",
            "Name a folder above it in `service.folders`, or use `repo-tune ingest`.",
        )
    return Registered(ingestion.repo_name(source, name), source, ref)


def _below_a_folder(source: str, folders: tuple[str, ...]) -> bool:
    if not source.startswith("/") or "\0" in source:
        return False
    path = Path(source).resolve()
    return any(path.is_relative_to(Path(folder).resolve()) for folder in folders)

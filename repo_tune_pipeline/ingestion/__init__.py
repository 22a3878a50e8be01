"""Ingestion: a git URL, a local repository, a folder or an archive → one snapshot.

Repositories are hostile input: nothing of theirs is run, checked out or followed.
"""

from repo_tune_pipeline.ingestion.gates import REASONS
from repo_tune_pipeline.ingestion.git import git_version
from repo_tune_pipeline.ingestion.snapshot import (
    files_by_language,
    funnel,
    head_commit,
    ingest,
    require_usable,
)
from repo_tune_pipeline.ingestion.sources import (
    Remote,
    check_ref,
    parse_source,
    public_source,
    repo_name,
)
from repo_tune_pipeline.ingestion.storage import (
    INGESTION_VERSION,
    load_changes,
    load_file,
    load_ledger,
    load_snapshot,
    save_snapshot,
    snapshot_about,
    snapshot_digest,
)

__all__ = [
    "INGESTION_VERSION",
    "REASONS",
    "Remote",
    "check_ref",
    "files_by_language",
    "funnel",
    "git_version",
    "head_commit",
    "ingest",
    "load_changes",
    "load_file",
    "load_ledger",
    "load_snapshot",
    "parse_source",
    "public_source",
    "repo_name",
    "require_usable",
    "save_snapshot",
    "snapshot_about",
    "snapshot_digest",
]

"""Snapshots come back as they were, and their digest is that of their content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.ingestion import (
    funnel,
    ingest,
    load_snapshot,
    save_snapshot,
    snapshot_digest,
)
from repo_tune_pipeline.records import Snapshot, SourceFile
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository

NAMES = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
).map(lambda name: name.replace(b"/", b"_").replace(b"\0", b"_"))
ENDINGS = st.sampled_from([b"", b".py", b".js", b".rs", b".md", b".txt"])
CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=40).map(lambda text: text.encode("utf-16", "surrogatepass")),
)
FILES = st.dictionaries(
    st.builds(bytes.__add__, NAMES, ENDINGS).filter(
        lambda name: name.lower() not in (b".", b"..", b".git")
    ),
    CONTENTS,
    min_size=1,
    max_size=6,
)


def test_a_snapshot_comes_back_as_it_was(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    repository.commit({"a.py": "x = '\u2028\r'\r\n", "b\n.py": "y = 1\n", "c.png": "no"})
    snapshot = read(repository.folder)
    digest = save_snapshot(tmp_path / "kept", snapshot)
    assert load_snapshot(tmp_path / "kept") == snapshot
    assert digest == snapshot_digest(snapshot)
    assert len(digest) == 64
    moved = replace(snapshot, source="elsewhere", ref="main", notice="changed")
    assert snapshot_digest(moved) == digest
    assert snapshot_digest(replace(snapshot, repo="other/name")) != digest
    assert snapshot_digest(replace(snapshot, ledger=snapshot.ledger[:-1])) != digest


def test_a_damaged_snapshot_is_one_clear_error(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    with pytest.raises(StorageError, match="can't be read"):
        load_snapshot(tmp_path / "nowhere")
    save_snapshot(tmp_path / "kept", read(repository.folder))
    (tmp_path / "kept" / "files.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match=r"files\.parquet can't be read"):
        load_snapshot(tmp_path / "kept")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=FILES)
def test_each_path_is_in_the_ledger_once_and_kept_text_is_the_blobs(
    files: dict[bytes, bytes], repository: Repository, tmp_path: Path
) -> None:
    commit = repository.put_commit(repository.put_files(files))
    options = {"settings": IngestionSettings(), "mirrors": tmp_path / "mirrors"}
    try:
        snapshot = ingest(str(repository.folder), ref=commit, **options)
    except EmptyInputError as error:
        counts = str(error)
    else:
        counts = _check(snapshot, files)
        save_snapshot(tmp_path / "kept", snapshot)
        assert load_snapshot(tmp_path / "kept") == snapshot
    assert f"{len(files)} seen" in counts


def _encodings(file: SourceFile, data: bytes) -> tuple[str, ...]:
    """In which of these a kept file may be written, as its flags say."""
    if "latin-1" in file.flags:
        return ("cp1252",)
    if "utf-16" not in file.flags:
        return ("utf-8-sig",)
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return ("utf-16",) if marked else ("utf-16-le", "utf-16-be")


def _check(snapshot: Snapshot, files: dict[bytes, bytes]) -> str:
    paths = [entry.path for entry in snapshot.ledger]
    assert len(set(paths)) == len(paths) == len(files)
    readable = {path for path in files if path.decode("utf-8", "replace").encode() == path}
    assert {path.encode() for path in paths} >= readable
    for file in snapshot.files:
        if "redacted" not in file.flags:
            data = files[file.path.encode()]
            assert file.text in {data.decode(name, "replace") for name in _encodings(file, data)}
    return f"{funnel(snapshot).seen} seen"

"""Names that programs stumble over: kept byte by byte, or dropped with a reason."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

from repo_tune_pipeline_tests.ingestion.conftest import Ingest
from repo_tune_pipeline_tests.ingestion.repositories import Repository

CODE = "x = 1\n"
STRANGE = (b"line\nbreak.py", b"-rf.py", b" blank .py", b"$(id).py", "\u202eyp.py".encode())
ALIKE = (b"Case.py", b"case.py", "caf\u00e9.py".encode(), "cafe\u0301.py".encode())


def test_newlines_dashes_blanks_and_4096_bytes_are_kept_as_they_are(
    repository: Repository, read: Ingest
) -> None:
    kept = (*STRANGE, b"caf\\xe9.py", b"n" * 4093 + b".py", b"d" * 255 + b".py")
    repository.put_commit(
        repository.put_files({name: CODE.encode() for name in (*kept, b"caf\xe9.py")})
    )
    snapshot = read(repository.folder)
    assert {file.path.encode() for file in snapshot.files} == set(kept)
    dropped = [(entry.path, entry.reason) for entry in snapshot.ledger if entry.reason]
    assert dropped == [("caf\\xe9.py\\", "path_not_utf8")]


def test_a_folder_of_500_levels_is_read_as_deep_as_a_path_may_be(
    tmp_path: Path, read: Ingest
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.py").write_text(CODE)
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(500):
        os.mkdir("d" * 15, dir_fd=handle)
        inner = os.open("d" * 15, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    try:
        ledger = read(folder).ledger
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    assert [entry.reason for entry in ledger] == ["", "unreadable"]
    assert len(ledger[1].path) > 3_000


def test_names_that_differ_in_case_or_unicode_form_only_are_files_of_their_own(
    repository: Repository, read: Ingest, tmp_path: Path
) -> None:
    files = {name: b"x = %d\n" % number for number, name in enumerate(ALIKE)}
    repository.put_commit(repository.put_files(files))
    folder = tmp_path / "plain"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in files.items():
            (folder / name.decode()).write_bytes(data)
            archive.writestr(name.decode(), data)
    for source in (repository.folder, folder, tmp_path / "a.zip"):
        snapshot = read(source)
        assert {file.path.encode(): file.text.encode() for file in snapshot.files} == files
        assert len({(entry.path, entry.blob) for entry in snapshot.ledger}) == 4

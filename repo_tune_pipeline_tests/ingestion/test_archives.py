"""Zip and tar files: read in place, and refused where they lie."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import EmptyInputError, SourceError
from repo_tune_pipeline.ingestion import head_commit
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.archives import (
    CODE,
    as_link,
    bombs,
    broken,
    nested_bomb,
    sparse_tar,
    tar_of,
    tarred,
    through_links,
    zipped,
)
from repo_tune_pipeline_tests.ingestion.conftest import Ingest

FILES = {"shop-main/a.py": CODE, "shop-main/pkg/b.py": b"y = 1\n", "shop-main/.git/config": b"[x]"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("shop.zip", zipped(FILES)),
        ("shop.tar", tar_of(FILES)),
        ("shop.tar.gz", gzip.compress(tar_of(FILES))),
        ("shop.tgz", gzip.compress(tar_of(FILES)[:700]) + gzip.compress(tar_of(FILES)[700:])),
        ("shop.tar.bz2", bz2.compress(tar_of(FILES))),
        ("shop.tar.xz", lzma.compress(tar_of(FILES))),
    ],
)
def test_an_archive_is_read_without_its_top_folder_and_its_git_folder(
    name: str, data: bytes, tmp_path: Path, read: Ingest
) -> None:
    (tmp_path / name).write_bytes(data)
    plain = tmp_path / "plain"
    (plain / "pkg").mkdir(parents=True)
    (plain / "a.py").write_bytes(CODE)
    (plain / "pkg" / "b.py").write_bytes(b"y = 1\n")
    before = sorted(tmp_path.rglob("*"))
    snapshot = read(tmp_path / name)
    assert {entry.path: entry.reason for entry in snapshot.ledger} == {
        ".git/config": "vendored",
        "a.py": "",
        "pkg/b.py": "",
    }
    assert snapshot.repo == "local/shop"
    assert snapshot.commit == read(plain).commit
    assert snapshot.commit == head_commit(str(tmp_path / name), settings=IngestionSettings())
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(SourceError, match="has no ref main"):
        read(tmp_path / name, ref="main")


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "C:\\x.py", "a/../../x.py", "..\\x.py"])
def test_a_name_that_leads_out_of_an_archive_is_refused(
    path: str, tmp_path: Path, read: Ingest
) -> None:
    for name, data in (("x.zip", zipped({path: CODE})), ("x.tar", tar_of({path: CODE}))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="leads out of it"):
            read(tmp_path / name)


def test_a_write_through_a_link_and_a_hard_link_to_a_link_are_refused(
    tmp_path: Path, read: Ingest
) -> None:
    for name, data in through_links().items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="hard link" if "hard" in name else "is no folder"):
            read(tmp_path / name)


def test_links_that_nothing_is_written_through_are_dropped_or_read(
    tmp_path: Path, read: Ingest
) -> None:
    link, hard = ("in", tarfile.SYMTYPE, b"", "/etc"), ("b.py", tarfile.LNKTYPE, b"", "a.py")
    pipe = ("pipe.py", tarfile.FIFOTYPE, b"", "")
    (tmp_path / "x.tar").write_bytes(
        tarred([link, ("a.py", tarfile.REGTYPE, CODE, ""), hard, pipe])
    )
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.tar").ledger}
    assert reasons == {"a.py": "", "b.py": "", "in": "symlink", "pipe.py": "special_file"}
    (tmp_path / "x.zip").write_bytes(zipped({"in": b"/etc", "a.py": CODE}, as_link))
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.zip").ledger}
    assert reasons == {"a.py": "", "in": "symlink"}


def test_an_overlapping_zip_a_nested_bomb_and_more_than_100_to_1_are_refused(
    tmp_path: Path, read: Ingest
) -> None:
    for name, data in bombs().items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="overlap" if "over" in name else "times its size"):
            read(tmp_path / name)
    (tmp_path / "f.tar").write_bytes(tar_of({"a.py": CODE * 1000}))
    with pytest.raises(SourceError, match="more than 5,000 bytes"):
        read(tmp_path / "f.tar", max_archive_bytes=5_000)
    (tmp_path / "g.zip").write_bytes(nested_bomb())
    with pytest.raises(EmptyInputError, match="binary 1"):
        read(tmp_path / "g.zip")


def test_what_is_truncated_encrypted_or_contradicts_itself_is_refused(
    tmp_path: Path, read: Ingest
) -> None:
    for name, data in broken().items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=r"can't be (used|read)"):
            read(tmp_path / name)


def test_a_sparse_file_of_1_gib_in_a_tar_is_dropped_and_never_filled(
    tmp_path: Path, read: Ingest
) -> None:
    (tmp_path / "x.tar").write_bytes(sparse_tar())
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.tar").ledger}
    assert reasons == {"a.py": "", "big.py": "special_file"}


def test_newlines_dashes_blanks_and_long_names_in_an_archive_are_kept(
    tmp_path: Path, read: Ingest
) -> None:
    deep = "abcdefg/" * 500 + "leaf.py"
    kept = ["line\nbreak.py", "-rf.py", " blank .py", "$(id).py", "n" * 4093 + ".py", deep]
    in_zip = zipped(dict.fromkeys([*kept, "cafX.py"], CODE)).replace(b"cafX.py", b"caf\xe9.py")
    in_tar = tar_of(dict.fromkeys([*kept, "caf\udce9.py"], CODE))
    for name, data in (("x.zip", in_zip), ("x.tar", in_tar)):
        (tmp_path / name).write_bytes(data)
        snapshot = read(tmp_path / name)
        assert {file.path for file in snapshot.files} == set(kept)
        dropped = [(entry.path, entry.reason) for entry in snapshot.ledger if entry.reason]
        assert dropped == [("caf\\xe9.py", "path_not_utf8")]
    for name, data in (
        ("x.zip", zipped({"n" * 4097: CODE})),
        ("x.tar", tar_of({"n" * 4097: CODE})),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="more than 4,096 bytes"):
            read(tmp_path / name)


def test_headers_for_all_members_of_a_tar_name_none(tmp_path: Path, read: Ingest) -> None:
    def packed(headers: dict[str, str]) -> bytes:
        archive = tarfile.TarInfo.create_pax_global_header(headers)
        return archive + tar_of({"a.py": CODE, "b.py": CODE})

    (tmp_path / "x.tar").write_bytes(packed({"comment": "0" * 40}))
    assert [file.path for file in read(tmp_path / "x.tar").files] == ["a.py", "b.py"]
    for key, value in (("path", "../x.py"), ("size", "1"), ("linkpath", "/etc/passwd")):
        (tmp_path / "x.tar").write_bytes(packed({key: value}))
        with pytest.raises(SourceError, match="damaged"):
            read(tmp_path / "x.tar")


def test_a_stream_cut_into_countless_empty_ones_is_refused(tmp_path: Path, read: Ingest) -> None:
    whole = gzip.compress(tar_of({"a.py": CODE}))
    (tmp_path / "x.tar.gz").write_bytes(whole + gzip.compress(b"") * 5_000)
    with pytest.raises(SourceError, match="more streams"):
        read(tmp_path / "x.tar.gz")

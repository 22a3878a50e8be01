"""Zip and tar files: read in place, and refused where they lie."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import EmptyInputError, SourceError
from repo_tune_pipeline.ingestion import head_commit
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import Ingest

CODE = b"x = 1\n"
BOMB = bytes(5_000_000)


def _zip(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(info)
            archive.writestr(info, data)
    return packed.getvalue()


def _tar(members: list[tuple[str, bytes, bytes, str]]) -> bytes:
    """A tar file of (name, kind, content, target of a link)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, kind, data, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), target
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def _files(files: dict[str, bytes]) -> bytes:
    return _tar([(name, tarfile.REGTYPE, data, "") for name, data in files.items()])


FILES = {"shop-main/a.py": CODE, "shop-main/pkg/b.py": b"y = 1\n", "shop-main/.git/config": b"[x]"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("shop.zip", _zip(FILES)),
        ("shop.tar", _files(FILES)),
        ("shop.tar.gz", gzip.compress(_files(FILES))),
        ("shop.tgz", gzip.compress(_files(FILES)[:700]) + gzip.compress(_files(FILES)[700:])),
        ("shop.tar.bz2", bz2.compress(_files(FILES))),
        ("shop.tar.xz", lzma.compress(_files(FILES))),
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
    for name, data in (("x.zip", _zip({path: CODE})), ("x.tar", _files({path: CODE}))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="leads out of it"):
            read(tmp_path / name)


def test_a_write_through_a_link_and_a_hard_link_to_a_link_are_refused(
    tmp_path: Path, read: Ingest
) -> None:
    link = ("in", tarfile.SYMTYPE, b"", "/etc")
    through = _tar([link, ("in/a.py", tarfile.REGTYPE, CODE, "")])
    hard = _tar([("a.py", tarfile.SYMTYPE, b"", "/etc/passwd"), ("b.py", b"1", b"", "a.py")])
    for data, why in ((through, "is no folder"), (hard, "hard link")):
        (tmp_path / "x.tar").write_bytes(data)
        with pytest.raises(SourceError, match=why):
            read(tmp_path / "x.tar")
    honest = [link, ("a.py", tarfile.REGTYPE, CODE, ""), ("b.py", b"1", b"", "a.py")]
    (tmp_path / "x.tar").write_bytes(_tar([*honest, ("pipe.py", tarfile.FIFOTYPE, b"", "")]))
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.tar").ledger}
    assert reasons == {"a.py": "", "b.py": "", "in": "symlink", "pipe.py": "special_file"}

    def as_link(info: zipfile.ZipInfo) -> None:
        if info.filename == "in":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16

    linked = {"in": b"/etc", "in-between": b"", "in/a.py": CODE}
    (tmp_path / "x.zip").write_bytes(_zip(linked, as_link))
    with pytest.raises(SourceError, match="is no folder"):
        read(tmp_path / "x.zip")
    (tmp_path / "x.zip").write_bytes(_zip({"in": b"/etc", "a.py": CODE}, as_link))
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.zip").ledger}
    assert reasons == {"a.py": "", "in": "symlink"}


def _overlapping() -> bytes:
    data = bytearray(_zip({"aa.py": CODE, "bb.py": CODE}))
    second = data.rfind(b"PK\1\2")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    data[second + 46 : second + 51] = b"aa.py"
    return bytes(data)


def test_an_overlapping_zip_a_nested_bomb_and_more_than_100_to_1_are_refused(
    tmp_path: Path, read: Ingest
) -> None:
    bombs = {
        "a.zip": _zip({"a.py": BOMB}),
        "b.tar.gz": gzip.compress(_files({"a.py": BOMB})),
        "c.tar.bz2": bz2.compress(_files({"a.py": BOMB})),
        "d.tar.xz": lzma.compress(_files({"a.py": BOMB})),
        "e.zip": _overlapping(),
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError):
            read(tmp_path / name)
    (tmp_path / "f.tar").write_bytes(_files({"a.py": CODE * 1000}))
    with pytest.raises(SourceError, match="more than 5,000 bytes"):
        read(tmp_path / "f.tar", max_archive_bytes=5_000)
    (tmp_path / "g.zip").write_bytes(_zip({"inner.zip": _zip({"a.py": BOMB})}))
    with pytest.raises(EmptyInputError, match="binary 1"):
        read(tmp_path / "g.zip")


def test_what_is_truncated_encrypted_or_contradicts_itself_is_refused(
    tmp_path: Path, read: Ingest
) -> None:
    whole = _zip({"a.py": CODE, "b.py": CODE})
    renamed = whole.replace(b"a.py", b"c.py", 1)
    shorter = bytearray(whole)
    directory = shorter.find(b"PK\1\2")
    for at in (22, directory + 24):
        shorter[at : at + 4] = struct.pack("<I", 2)
    encrypted = bytearray(whole)
    encrypted[directory + 8] |= 1
    tar = _files({"a.py": CODE, "b.py": CODE})
    broken = {
        "a.zip": whole[:-30],
        "b.zip": renamed,
        "c.zip": bytes(shorter),
        "d.zip": bytes(encrypted),
        "e.zip": b"",
        "f.tar": tar[:1030],
        "g.tar": tar[:1100] + b"!" + tar[1101:],
        "h.tar.gz": gzip.compress(tar)[:-9],
        "i.tar.xz": lzma.compress(tar)[:-9],
        "j.tar": b"no tar",
    }
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=r"can't be (used|read)"):
            read(tmp_path / name)


def _sparse() -> bytes:
    """A tar file with a file of 1 GiB that is all hole, as GNU tar writes it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, size in (("a.py", 0), ("big.py", 1 << 30)):
            info = tarfile.TarInfo(name)
            data = b"0\n".ljust(512, b"\0") if size else CODE
            info.size = len(data)
            if size:
                info.pax_headers = {
                    "GNU.sparse.major": "1",
                    "GNU.sparse.minor": "0",
                    "GNU.sparse.name": name,
                    "GNU.sparse.realsize": str(size),
                }
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def test_a_sparse_file_of_1_gib_in_a_tar_is_dropped_and_never_filled(
    tmp_path: Path, read: Ingest
) -> None:
    (tmp_path / "x.tar").write_bytes(_sparse())
    reasons = {entry.path: entry.reason for entry in read(tmp_path / "x.tar").ledger}
    assert reasons == {"a.py": "", "big.py": "special_file"}


def test_newlines_dashes_blanks_and_long_names_in_an_archive_are_kept(
    tmp_path: Path, read: Ingest
) -> None:
    deep = "abcdefg/" * 500 + "leaf.py"
    kept = ["line\nbreak.py", "-rf.py", " blank .py", "$(id).py", "n" * 4093 + ".py", deep]
    zipped = _zip(dict.fromkeys([*kept, "cafX.py"], CODE)).replace(b"cafX.py", b"caf\xe9.py")
    tarred = _files(dict.fromkeys([*kept, "caf\udce9.py"], CODE))
    for name, data in (("x.zip", zipped), ("x.tar", tarred)):
        (tmp_path / name).write_bytes(data)
        snapshot = read(tmp_path / name)
        assert {file.path for file in snapshot.files} == set(kept)
        dropped = [(entry.path, entry.reason) for entry in snapshot.ledger if entry.reason]
        assert dropped == [("caf\\xe9.py", "path_not_utf8")]
    for name, data in (("x.zip", _zip({"n" * 4097: CODE})), ("x.tar", _files({"n" * 4097: CODE}))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="more than 4,096 bytes"):
            read(tmp_path / name)


def test_headers_for_all_members_of_a_tar_name_none(tmp_path: Path, read: Ingest) -> None:
    def packed(headers: dict[str, str]) -> bytes:
        archive = tarfile.TarInfo.create_pax_global_header(headers)
        return archive + _files({"a.py": CODE, "b.py": CODE})

    (tmp_path / "x.tar").write_bytes(packed({"comment": "0" * 40}))
    assert [file.path for file in read(tmp_path / "x.tar").files] == ["a.py", "b.py"]
    for key, value in (("path", "../x.py"), ("size", "1"), ("linkpath", "/etc/passwd")):
        (tmp_path / "x.tar").write_bytes(packed({key: value}))
        with pytest.raises(SourceError, match="damaged"):
            read(tmp_path / "x.tar")


def test_a_stream_cut_into_countless_empty_ones_is_refused(tmp_path: Path, read: Ingest) -> None:
    whole = gzip.compress(_files({"a.py": CODE}))
    (tmp_path / "x.tar.gz").write_bytes(whole + gzip.compress(b"") * 5_000)
    with pytest.raises(SourceError, match="more streams"):
        read(tmp_path / "x.tar.gz")

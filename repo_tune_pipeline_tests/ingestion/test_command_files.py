"""Rows 18 to 25 through `repo-tune ingest`: names and contents that programs stumble over."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from repo_tune_pipeline.chunking import load_chunks
from repo_tune_pipeline_tests.ingestion.conftest import Case, Outcome
from repo_tune_pipeline_tests.ingestion.place import Place
from repo_tune_pipeline_tests.ingestion.ran import NAME, Ran, assert_offline, assert_taken
from repo_tune_pipeline_tests.ingestion.repositories import Repository, Tree

pytestmark = pytest.mark.slow

CODE = b"def value():\n    return 1\n"
STRANGE = (b"line\nbreak.py", b"-rf.py", b" blank .py", b"$(id).py", "\u202eyp.py".encode())
ALIKE = (b"Case.py", b"case.py", "caf\u00e9.py".encode(), "cafe\u0301.py".encode())
NOT_UTF8 = b"caf\xe9s.py"
LONGEST, DEEP = b"n" * 4093 + b".py", "abcdefg/" * 500 + "leaf.py"
TEXTS: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "wide.py": ("x = 'é'\n".encode("utf-16"), "x = 'é'\n", ("utf-16",)),
    "latin.py": (b"x = 'caf\xe9'\n", "x = 'café'\n", ("latin-1",)),
    "bidi.py": ("# \u202eevil\u2066\n".encode(), "# \u202eevil\u2066\n", ("bidi_controls",)),
    "hidden.py": ("x = 'a\u200bb'\n".encode(), "x = 'a\u200bb'\n", ("zero_width",)),
    "tagged.py": ("x = '\U000e0041'\n".encode(), "x = '\U000e0041'\n", ("zero_width",)),
    "surrogate.py": (b"x = '\xed\xa0\x80'\n", "x = 'í\xa0€'\n", ("latin-1",)),
    "lines.py": ("x = '\u2028'\ry = 2\r".encode(), "x = '\u2028'\ry = 2\r", ()),
}
"""Bytes, the text that is kept of them, and the flags with which it is."""
LOST = {
    "nul.py": (b"a\0b", "binary"),
    "surrogates.py": (b"\xed\xa0\x80" * 3, "not_text"),
    "half-a-pair.py": (b"\xff\xfe\0\xd8", "binary"),
    "picture.py": (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
}
HEAVY = {"line.py": b"x = '" + b"a" * 10_000_000 + b"'\n", "nest.js": b"[" * 100_000}
OUTPUT = [{"data": {"image/png": "A" * 50_000_000}}]
CELL = {"cell_type": "code", "source": ["x = 1\n"], "outputs": OUTPUT}


def _committed(place: Place) -> Ran:
    shop = Repository(place.folder / "shop")
    inner: Tree = {b"leaf.py": CODE}
    for _ in range(500):
        inner = {b"abcdefg": inner}
    files = dict.fromkeys((*STRANGE, *ALIKE, LONGEST, NOT_UTF8), CODE)
    files |= {name.encode(): data for name, (data, _, _) in TEXTS.items()}
    files |= {name.encode(): data for name, (data, _) in LOST.items()}
    files[b"book.ipynb"] = json.dumps({"cells": [CELL]}).encode()
    shop.put_commit(shop.put_files({**inner, **files}))
    return place.ingest(shop.folder)


def _plain(place: Place) -> Ran:
    folder, outside = place.folder / "plain", place.folder / "outside"
    deep = folder / ("d/" * 500)
    for each in (deep, outside):
        each.mkdir(parents=True)
    for name in (*STRANGE, *ALIKE, NOT_UTF8, b"n" * 252 + b".py"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(CODE)
    for path in (deep / "leaf.py", outside / "secret.py"):
        path.write_bytes(CODE)
    for name, data in HEAVY.items():
        (folder / name).write_bytes(data)
    (folder / "big.py").touch()
    os.truncate(folder / "big.py", 1 << 30)
    _put_what_is_no_file(folder, outside)
    return place.ingest(folder, settings={"max_file_bytes": 20_000_000})


def _put_what_is_no_file(folder: Path, outside: Path) -> None:
    (folder / "out.py").symlink_to(outside / "secret.py")
    (folder / "out").symlink_to(outside)
    (folder / "up").symlink_to(folder)
    (folder / "self.py").symlink_to(folder / "self.py")
    os.mkfifo(folder / "fifo.py")
    handle = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{handle}/socket.py")  # the whole path would be too long
    os.close(handle)
    if os.geteuid() == 0:  # only root may make one
        os.mknod(folder / "device.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))


CASES: dict[str, Case] = {"committed": _committed, "plain": _plain}


@pytest.fixture(scope="module")
def committed(outcome: Outcome) -> Ran:
    ran = outcome("committed")
    assert_taken(ran)
    assert_offline(ran)
    return ran


@pytest.fixture(scope="module")
def plain(outcome: Outcome) -> Ran:
    ran = outcome("plain")
    assert_taken(ran)
    assert_offline(ran)
    return ran


@pytest.mark.parametrize("row", ["row-18-names-in-a-repository"])
def test_a_committed_name_is_kept_byte_by_byte_or_dropped(row: str, committed: Ran) -> None:
    kept = {path.encode() for path in committed.files()}
    assert kept >= {*STRANGE, LONGEST, DEEP.encode()}
    assert committed.reasons()["caf\\xe9s.py"] == "path_not_utf8"


@pytest.mark.parametrize("row", ["row-18-names-in-a-folder"])
def test_a_name_in_a_folder_is_kept_byte_by_byte_or_dropped(row: str, plain: Ran) -> None:
    kept = {path.encode() for path in plain.files()}
    assert kept >= {*STRANGE, b"n" * 252 + b".py", b"d/" * 500 + b"leaf.py"}
    assert plain.reasons()["caf\\xe9s.py"] == "path_not_utf8"


@pytest.mark.parametrize("row", ["row-19-case-and-unicode-form"])
def test_names_that_differ_in_little_are_files_of_their_own(
    row: str, committed: Ran, plain: Ran
) -> None:
    for ran in (committed, plain):
        chunks = load_chunks(ran.home.chunks(NAME)).chunks
        ids = {chunk.path.encode(): chunk.chunk_id for chunk in chunks}
        assert {*ALIKE} <= {path.encode() for path in ran.files()}
        assert len({ids[name] for name in ALIKE}) == len(ALIKE)


@pytest.mark.parametrize("row", ["row-20-links-and-what-is-no-file"])
def test_what_is_no_regular_file_is_never_opened(row: str, plain: Ran) -> None:
    reasons, folder = plain.reasons(), plain.home.root.parent
    assert {reasons[name] for name in ("out.py", "out", "up", "self.py")} == {"symlink"}
    devices = {"fifo.py", "socket.py", "device.py"} & reasons.keys()
    assert len(devices) > 1
    assert {reasons[name] for name in devices} == {"special_file"}
    opened = {Path(path) for path in plain.opened}
    assert folder / "plain" / "case.py" in opened
    assert opened.isdisjoint(folder / "plain" / name for name in reasons if name in devices)
    assert [path for path in opened if folder / "outside" in path.parents] == []


@pytest.mark.parametrize("row", ["row-21-encodings", "row-22-controls", "row-23-line-ends"])
def test_a_text_is_kept_without_loss_and_flagged(row: str, committed: Ran) -> None:
    files = committed.files()
    kept = {name: (files[name].text, files[name].flags) for name in TEXTS}
    assert kept == {name: (text, flags) for name, (_, text, flags) in TEXTS.items()}


@pytest.mark.parametrize("row", ["row-21-nuls-and-surrogates", "row-25-picture-named-as-code"])
def test_what_is_no_text_is_dropped(row: str, committed: Ran) -> None:
    reasons = committed.reasons()
    assert {name: reasons[name] for name in LOST} == {name: why for name, (_, why) in LOST.items()}


@pytest.mark.parametrize("row", ["row-24-heavy-files"])
def test_a_heavy_file_is_dropped_at_once(row: str, plain: Ran) -> None:
    reasons = plain.reasons()
    assert (reasons["line.py"], reasons["nest.js"]) == ("minified", "minified")
    assert reasons["big.py"] == "too_large"
    assert not [path for path in plain.opened if path.endswith("/big.py")]
    assert plain.told["seconds"] < 2 * 3


@pytest.mark.parametrize("row", ["row-25-notebook-with-large-outputs"])
def test_a_notebook_is_kept_without_its_outputs(row: str, committed: Ran) -> None:
    book = committed.files()["book.ipynb"]
    assert json.loads(book.text)["cells"][0]["outputs"] == []
    assert book.flags == ("outputs_removed",)

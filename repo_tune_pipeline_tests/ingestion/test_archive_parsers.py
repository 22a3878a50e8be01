"""Any bytes as an archive: entries or one clear error, within bounds, and nothing written."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.archives import opened_archive
from repo_tune_pipeline.ingestion.folder import read_folder, walk_folder
from repo_tune_pipeline.settings import IngestionSettings

LIMITS = IngestionSettings(max_archive_bytes=400_000, max_paths=1_000)
MIB = 1024 * 1024
Pack = Callable[[dict[str, bytes]], bytes]
slow = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _zip(files: dict[str, bytes], method: int, streamed: bool = False) -> bytes:
    class OneWay(io.BytesIO):
        def seekable(self) -> bool:
            return False

    packed = OneWay() if streamed else io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.comment = b"a comment"
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=len(data) % 2 == 1) as member:
                member.write(data)
    return packed.getvalue()


def _tar(files: dict[str, bytes], kind: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1.5 if kind == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


FORMS: dict[str, Pack] = {
    "deflated.zip": lambda files: _zip(files, zipfile.ZIP_DEFLATED),
    "stored.zip": lambda files: _zip(files, zipfile.ZIP_STORED),
    "streamed.zip": lambda files: _zip(files, zipfile.ZIP_DEFLATED, streamed=True),
    "gnu.tar": lambda files: _tar(files, tarfile.GNU_FORMAT),
    "pax.tar": lambda files: _tar(files, tarfile.PAX_FORMAT),
    "a.tar.gz": lambda files: gzip.compress(_tar(files, tarfile.GNU_FORMAT)),
    "a.tar.bz2": lambda files: bz2.compress(_tar(files, tarfile.PAX_FORMAT)),
    "a.tar.xz": lambda files: lzma.compress(_tar(files, tarfile.GNU_FORMAT)),
}
forms = pytest.mark.parametrize("form", FORMS)
parts = st.text(
    st.characters(min_codepoint=1, exclude_characters="/\\:", exclude_categories=("Cs",)),
    min_size=1,
    max_size=12,
).map(lambda text: f"p{text}")
contents = st.binary(max_size=300) | st.just(b"x = 1\n" * 2_000)


@st.composite
def folders(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by their paths; none of them stands where another needs a folder."""
    paths = draw(st.lists(st.lists(parts, min_size=1, max_size=4).map("/".join), max_size=8))
    names = [path + "." for path in {*paths, "top"}]
    return {name: draw(contents) for name in sorted(names)}


changes = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "insert", "cut", "swap", "big"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=6,
)


def _changed(data: bytes, steps: list[tuple[str, float, int]]) -> bytes:
    for what, where, value in steps:
        at = int(where * len(data))
        if what == "set":
            data = data[:at] + bytes([value]) + data[at + 1 :]
        elif what == "drop":
            data = data[:at] + data[at + value :]
        elif what == "insert":
            data = data[:at] + bytes([value]) * value + data[at:]
        elif what == "cut":
            data = data[:at]
        elif what == "swap":
            data = data[at:] + data[:at]
        else:
            data = data[:at] + b"\xff" * (value % 9) + data[at + value % 9 :]
    return data


def _read(path: Path) -> list[tuple[bytes, str, int]] | None:
    """(path, blob, size) of each file, or None for an archive that is refused."""
    try:
        with opened_archive(path, "it", LIMITS) as archive:
            wanted = [entry for entry in archive.entries if not entry.reason]
            return [(one.path, one.blob, one.size) for one, _ in archive.read(wanted)]
    except SourceError:
        return None


def _read_within_bounds(folder: Path, form: str, data: bytes) -> None:
    path = folder / form
    path.write_bytes(data)
    before = sorted(folder.rglob("*"))
    tracemalloc.start()
    try:
        found = _read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # An xz stream names the size of its dictionary itself, up to 128 MiB.
    assert peak < (150 * MIB if form.endswith("xz") else 16 * MIB)
    assert sum(size for _, _, size in found or ()) <= LIMITS.max_archive_bytes
    assert sorted(folder.rglob("*")) == before


@forms
@slow
@given(files=folders())
def test_an_honest_archive_is_what_its_folder_is(
    form: str, files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("honest")
    top = base / "top"
    for name, data in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    listed = read_folder(top, walk_folder(top, 1_000), 100_000)
    (base / form).write_bytes(FORMS[form]({f"top/{name}": data for name, data in files.items()}))
    assert _read(base / form) == [(entry.path, entry.blob, entry.size) for entry, _ in listed]


@forms
@slow
@given(files=folders(), steps=changes)
def test_a_damaged_archive_is_read_or_refused(
    form: str, files: dict[str, bytes], steps: list[tuple[str, float, int]], tmp_path: Path
) -> None:
    _read_within_bounds(tmp_path, form, _changed(FORMS[form](files), steps))


@forms
@slow
@given(data=st.binary(max_size=2_000))
def test_any_bytes_are_read_or_refused(form: str, data: bytes, tmp_path: Path) -> None:
    _read_within_bounds(tmp_path, form, data)


@slow
@given(
    files=folders(), steps=changes, kind=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
)
def test_a_damaged_tar_in_a_whole_stream_is_read_or_refused(
    files: dict[str, bytes], steps: list[tuple[str, float, int]], kind: int, tmp_path: Path
) -> None:
    _read_within_bounds(tmp_path, "a.tar.gz", gzip.compress(_changed(_tar(files, kind), steps), 1))


@pytest.mark.parametrize("value", [0, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("at", [4, 12, 20])
def test_any_number_in_a_wide_header_of_a_zip_is_read_or_refused(
    at: int, value: int, tmp_path: Path
) -> None:
    """Sizes and place of a member, in 64 bits each."""
    whole = _zip({"a.py": b"x = 1\n"}, zipfile.ZIP_STORED)
    start = whole.rfind(b"PK\1\2")
    head, names = bytearray(whole[start : start + 46]), whole[start + 46 : start + 50]
    wide = bytearray(b"\1\0\x18\0" + (6).to_bytes(8, "little") * 2 + bytes(8))
    wide[at : at + 8] = value.to_bytes(8, "little")
    head[20:28], head[42:46], head[30:32] = b"\xff" * 8, b"\xff" * 4, b"\x1c\0"
    end = bytearray(whole[whole.rfind(b"PK\5\6") :])
    directory = bytes(head) + names + bytes(wide)
    end[12:16] = len(directory).to_bytes(4, "little")
    _read_within_bounds(tmp_path, "a.zip", whole[:start] + directory + bytes(end))
    assert (_read(tmp_path / "a.zip") is None) == ((at, value) != (20, 0))

"""Bombs within 1 GiB of addresses for this process, and for each that it starts."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.ingestion.repositories import (
    Repository,
    put_bomb,
    put_files_bomb,
)

MIB = 1024 * 1024
PROGRAM = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from pathlib import Path
from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion import ingest
from repo_tune_pipeline.settings import IngestionSettings
settings = IngestionSettings.model_validate_json(sys.argv[2])
try:
    ingest(sys.argv[1], settings=settings, mirrors=Path("mirrors").absolute())
except SourceError as error:
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    git = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peaks = [int(status["VmHWM"].split()[0]) // 1024, git // 1024]
    print(json.dumps({"refused": str(error), "peaks": peaks}))
"""


def _tar(names: list[str], size: int = 0) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(bytes(size)))
    return packed.getvalue()


def _streams(path: Path, pack: Callable[[bytes], bytes]) -> Path:
    """A tar file with one of 1.5 GiB of zeros in it, packed."""
    head = tarfile.TarInfo("a.py")
    head.size = 1536 * MIB
    zeros = pack(bytes(64 * MIB))
    path.write_bytes(pack(head.tobuf()) + zeros * 24 + pack(bytes(1024)))
    return path


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", bytes(128 * MIB))
    return path


def _names(path: Path) -> Path:
    """70 MB of names in an archive a thousandth of that."""
    path.write_bytes(gzip.compress(_tar([f"{n:06}{'n' * 3900}.py" for n in range(18_000)]), 6))
    return path


def _repository(folder: Path, put: Callable[[Repository], str]) -> Path:
    repository = Repository(folder)
    repository.put_commit(put(repository))
    return folder


def _long_paths(repository: Repository) -> str:
    blob = repository.put("blob", b"x = 1\n")
    tree = repository.put_tree([("100644", b"%06d.py" % n, blob) for n in range(400_000)])
    for number in range(15):
        tree = repository.put_tree([("40000", b"%02d" % number * 125, tree)])
    return tree


BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a zip": (lambda folder: _zip(folder / "a.zip"), "100 times its size"),
    "gzip": (lambda folder: _streams(folder / "a.tar.gz", gzip.compress), "100 times its size"),
    "bzip2": (lambda folder: _streams(folder / "a.tbz2", bz2.compress), "100 times its size"),
    "xz": (lambda folder: _streams(folder / "a.tar.xz", lzma.compress), "100 times its size"),
    "names": (lambda folder: _names(folder / "a.tgz"), "far too long ones"),
    "files": (lambda folder: _repository(folder / "a", put_files_bomb), "500,000 paths"),
    "folders": (
        lambda folder: _repository(folder / "a", lambda r: put_bomb(r, r.put_tree([]))),
        "500,000 paths",
    ),
    "long paths": (lambda folder: _repository(folder / "a", _long_paths), "far too long"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_an_archive_bomb_and_a_tree_bomb_are_refused_within_1_gib(
    what: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    make, why = BOMBS[what]
    source = make(tmp_path)
    settings = json.dumps({"max_archive_ratio": 10_000} if what == "names" else {})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), settings],
        cwd=tmp_path,
        # Each thread of a library reserves addresses that it never uses.
        env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert why in told["refused"]
    record_property("peak_mib_of_us_and_git", told["peaks"])
    assert max(told["peaks"]) < 1024

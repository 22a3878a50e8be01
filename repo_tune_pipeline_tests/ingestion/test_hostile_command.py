"""The worst inputs through the real command: one clear error, exit 1 or 2, nothing run."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.ingestion.repositories import Repository

pytestmark = pytest.mark.slow


def _zip(path: Path, name: str, data: bytes) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    path.write_bytes(packed.getvalue())
    return str(path)


def _bomb(folder: Path) -> str:
    repository = Repository(folder)
    blob = repository.put("blob", b"x = 1\n")
    tree = repository.put_tree([("100644", b"f%02d.py" % n, blob) for n in range(10)])
    for _ in range(9):
        tree = repository.put_tree([("40000", b"d%02d" % n, tree) for n in range(10)])
    repository.put_commit(tree)
    return str(folder)


def _truncated(folder: Path) -> str:
    repository = Repository(folder)
    repository.commit({f"m{n}.py": f"{os.urandom(200).hex()!r}\n" for n in range(50)})
    repository.git("gc", "--quiet")
    [pack] = (folder / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    return str(folder)


SOURCES = {
    "a transport helper": lambda folder: "ext::sh -c touch% it-ran",
    "a loopback address": lambda folder: "https://0x7f.1/a/b",
    "a tree bomb": lambda folder: _bomb(folder / "bomb"),
    "a truncated pack": lambda folder: _truncated(folder / "cut"),
    "a name that leads out": lambda folder: _zip(folder / "a.zip", "../x.py", b"x = 1\n"),
    "a zip bomb": lambda folder: _zip(folder / "b.zip", "a.py", bytes(5_000_000)),
}


@pytest.mark.parametrize("what", sorted(SOURCES))
def test_the_command_refuses(what: str, tmp_path: Path) -> None:
    source = SOURCES[what](tmp_path)
    before = {path for path in tmp_path.rglob("*") if "home" not in path.parts}
    done = subprocess.run(
        [
            Path(sys.executable).parent / "repo-tune",
            *("ingest", source, "--name", "a/b", "--home", tmp_path / "home", "--json"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.strip()
    after = {path for path in tmp_path.rglob("*") if "home" not in path.relative_to(tmp_path).parts}
    assert after == before

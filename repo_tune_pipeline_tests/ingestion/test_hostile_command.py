"""The worst inputs through the real command: one clear error, exit 1 or 2, nothing run."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.ingestion.repositories import (
    Repository,
    arm,
    cut_pack,
    marking_program,
    put_files_bomb,
)

pytestmark = pytest.mark.slow


def _zip(path: Path, name: str, data: bytes) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    path.write_bytes(packed.getvalue())
    return str(path)


def _bomb(folder: Path) -> str:
    repository = Repository(folder)
    repository.put_commit(put_files_bomb(repository))
    return str(folder)


def _truncated(folder: Path) -> str:
    repository = Repository(folder)
    repository.commit({f"m{n}.py": f"{os.urandom(200).hex()!r}\n" for n in range(50)})
    cut_pack(repository)
    return str(folder)


SOURCES: dict[str, Callable[[Path, int], str]] = {
    "a transport helper": lambda _, port: f"ext::bash -c echo% >/dev/tcp/127.0.0.1/{port}",
    "an option in place of a url": lambda folder, _: f"--upload-pack=touch {folder}/it-ran",
    "a loopback address": lambda _, port: f"https://0x7f.1:{port}/a/b",
    "a tree bomb": lambda folder, _: _bomb(folder / "bomb"),
    "a truncated pack": lambda folder, _: _truncated(folder / "cut"),
    "a name that leads out": lambda folder, _: _zip(folder / "a.zip", "../x.py", b"x = 1\n"),
    "a zip bomb": lambda folder, _: _zip(folder / "b.zip", "a.py", bytes(5_000_000)),
}


def _ingest(folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    arguments = ("--name", "local/b", "--home", str(folder / "home"), "--json", "--", source)
    return subprocess.run(
        [Path(sys.executable).parent / "repo-tune", "ingest", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _outside(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "home" not in path.relative_to(folder).parts}


@pytest.mark.parametrize("what", sorted(SOURCES))
def test_the_command_refuses(what: str, tmp_path: Path, listener: socket.socket) -> None:
    """The listener fails the test if anything connects."""
    source = SOURCES[what](tmp_path, listener.getsockname()[1])
    before = _outside(tmp_path)
    done = _ingest(tmp_path, source)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.strip()
    assert _outside(tmp_path) == before


def test_the_command_reads_a_repository_whose_settings_name_programs_and_runs_none(
    tmp_path: Path,
) -> None:
    repository = Repository(tmp_path / "armed")
    files = {f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(3)}
    repository.commit({**files, ".gitattributes": "*.py filter=evil diff=evil\n"})
    program, marker = marking_program(tmp_path)
    arm(repository, program)
    done = _ingest(tmp_path, str(repository.folder))
    assert done.returncode == 0, done.stderr
    assert not marker.exists()
    repository.attempt("status")
    assert marker.exists(), "a plain git would have run it"

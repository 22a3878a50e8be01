"""A plain folder is walked without following or opening anything but regular files."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_tune_pipeline.errors import ConfigError, EmptyInputError, SourceError
from repo_tune_pipeline.ingestion import funnel, head_commit
from repo_tune_pipeline.ingestion.folder import read_folder, walk_folder
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.conftest import Ingest

CODE = "x = 1\n"


def _fill(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_every_path_is_kept_or_dropped_with_one_reason(tmp_path: Path, read: Ingest) -> None:
    folder = _fill(
        tmp_path / "in" / "plain",
        {
            "a.py": CODE,
            "deep/er/b.rs": "fn b() {}\n",
            "node_modules/x/index.js": "x\n",
            "deep/.venv/lib/c.py": CODE,
            "sub/.git/config": "[core]\n",
            "sub/.git/d.py": CODE,
            "sub/e.py": CODE,
        },
    )
    (folder / "up").symlink_to(folder)

    snapshot = read(folder)

    assert {entry.path: entry.reason for entry in snapshot.ledger} == {
        "a.py": "",
        "deep/er/b.rs": "",
        "sub/e.py": "",
        "deep/.venv": "vendored",
        "node_modules": "vendored",
        "sub/.git": "vendored",
        "up": "symlink",
    }
    assert funnel(snapshot).seen == 7
    assert (snapshot.repo, snapshot.ref) == ("local/plain", "")


def test_the_commit_is_a_digest_of_what_is_read(tmp_path: Path, read: Ingest) -> None:
    files = {"a.py": CODE, "pkg/b.py": "y = 1\n"}
    one, two = _fill(tmp_path / "one", files), _fill(tmp_path / "two", files)
    settings = IngestionSettings()
    commit = read(one).commit
    assert len(commit) == 40
    assert commit == read(two).commit == head_commit(str(one), settings=settings)
    _fill(two, {"picture.png": "not read", "node_modules/x.js": "not read"})
    assert head_commit(str(two), settings=settings) == commit
    _fill(two, {"a.py": "x = 2\n"})
    assert head_commit(str(two), settings=settings) == read(two).commit != commit


def test_what_cannot_be_used_is_one_clear_error(tmp_path: Path, read: Ingest) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EmptyInputError, match="0 seen, 0 kept"):
        read(tmp_path / "empty")
    folder = _fill(tmp_path / "folder", {"a.py": CODE})
    with pytest.raises(SourceError, match="is a file"):
        read(folder / "a.py")
    with pytest.raises(SourceError, match="isn't there"):
        read(folder / "nowhere")
    with pytest.raises(SourceError, match="has no ref main"):
        read(folder, ref="main")
    with pytest.raises(ConfigError, match="exclude"):
        read(folder, exclude=["!"])


def test_a_file_that_became_a_folder_meanwhile_is_not_read(tmp_path: Path) -> None:
    folder = _fill(tmp_path / "folder", {"a.py": CODE})
    listed = walk_folder(folder, 10)
    (folder / "a.py").unlink()
    (folder / "a.py").mkdir()
    assert [data for _, data in read_folder(folder, listed, 100)] == [None]

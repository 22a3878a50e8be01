"""Chunks on disk: whole, by content, and cut where a parser that doesn't end can be stopped."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from repo_tune_pipeline.chunking import chunk_snapshot, holds_chunks, load_chunks, save_chunks
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import Snapshot
from repo_tune_pipeline.settings import ChunkingSettings
from repo_tune_pipeline.shelf import Shelf
from repo_tune_pipeline_tests.chunking.helpers import snapshot

SETTINGS = ChunkingSettings()
SOURCES = {
    "a.py": 'def one(x):\n    """Say one."""\n    y = x\n    return y\n',
    "pkg/b.go": "package b\n\n// Two counts.\nfunc Two() int {\n\tx := 1\n\treturn x\n}\n",
    "docs/c.md": "# Title\n\nSome text.\n",
    "d.md": "",
}


def test_what_is_saved_comes_back_as_one_process_would_have_cut_it(tmp_path: Path) -> None:
    digest = save_chunks(tmp_path / "chunks", snapshot(SOURCES), SETTINGS)
    assert load_chunks(tmp_path / "chunks") == chunk_snapshot(snapshot(SOURCES), SETTINGS)
    assert digest == save_chunks(tmp_path / "other", snapshot(SOURCES), SETTINGS)
    assert digest != save_chunks(tmp_path / "other", snapshot({"a.md": "# A\nb"}), SETTINGS)
    assert [chunk.path for chunk in load_chunks(tmp_path / "other").chunks] == ["a.md"]


def test_only_what_changed_is_cut_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    save_chunks(tmp_path / "chunks", snapshot(SOURCES), SETTINGS)
    shelf = Shelf(tmp_path / "chunks.db")
    before = shelf.keys()
    # A kept answer that says something else shows whether the file was cut again.
    changed = {**SOURCES, "a.py": SOURCES["a.py"].replace("one", "uno")}
    save_chunks(tmp_path / "chunks", snapshot(changed), SETTINGS)
    after = shelf.keys()
    assert len(before & after) == len(before) - 1
    assert len(after) == len(before)
    assert {c.symbol for c in load_chunks(tmp_path / "chunks").chunks} >= {"uno", "Two", "Title"}


def test_a_new_commit_licence_or_place_is_stamped_on_kept_chunks(tmp_path: Path) -> None:
    old = snapshot(SOURCES)
    save_chunks(tmp_path / "chunks", old, SETTINGS)
    moved = tuple(
        replace(file, path=f"moved/{file.path}", license="Apache-2.0") for file in old.files
    )
    new = replace(old, commit="d" * 40, files=moved)
    save_chunks(tmp_path / "chunks", new, SETTINGS)
    loaded = load_chunks(tmp_path / "chunks")
    assert loaded == chunk_snapshot(new, SETTINGS)
    assert {chunk.commit for chunk in loaded.chunks} == {"d" * 40}
    assert {chunk.license for chunk in loaded.chunks} == {"Apache-2.0"}


def test_other_settings_cut_anew(tmp_path: Path) -> None:
    long = {"a.md": "# A\n" + "words " * 200}
    save_chunks(tmp_path / "chunks", snapshot(long), SETTINGS)
    assert len(load_chunks(tmp_path / "chunks").chunks) == 1
    save_chunks(tmp_path / "chunks", snapshot(long), ChunkingSettings(max_chunk_chars=300))
    assert load_chunks(tmp_path / "chunks").funnel.dropped == {"too_long": 1}


@pytest.mark.parametrize("damage", ["folder", "shelf", "table"])
def test_missing_or_damaged_chunks_are_one_clear_error(tmp_path: Path, damage: str) -> None:
    save_chunks(tmp_path / "chunks", snapshot(SOURCES), SETTINGS)
    assert holds_chunks(tmp_path / "chunks")
    match damage:
        case "folder":
            (tmp_path / "chunks" / "files.msgpack").unlink()
        case "shelf":
            (tmp_path / "chunks.db").unlink()
        case _:
            (tmp_path / "chunks" / "files.msgpack").write_bytes(b"\x01\x02")
    assert not holds_chunks(tmp_path / "chunks")
    with pytest.raises(StorageError, match="Ingest again"):
        load_chunks(tmp_path / "chunks")
    save_chunks(tmp_path / "chunks", snapshot(SOURCES), SETTINGS)
    assert holds_chunks(tmp_path / "chunks")


def test_a_text_that_holds_the_parser_costs_itself_only_and_two_seconds(tmp_path: Path) -> None:
    """Sixty thousand characters of this hold tree-sitter's Java grammar for a minute."""
    bomb = "class A { void f() { " + "a<b<" * 15_000 + " } }"
    hostile: Snapshot = snapshot({**SOURCES, "Bomb.java": bomb})
    started = time.monotonic()
    save_chunks(tmp_path / "chunks", hostile, SETTINGS)
    assert time.monotonic() - started < 30
    chunked = load_chunks(tmp_path / "chunks")
    reasons = {each.path: each.reason for each in chunked.rejections}
    assert reasons["Bomb.java"] in ("parse_timeout", "parser_crashed")
    assert {chunk.path for chunk in chunked.chunks} == {"a.py", "pkg/b.go", "docs/c.md"}

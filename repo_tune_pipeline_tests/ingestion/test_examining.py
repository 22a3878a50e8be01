"""What was examined once is remembered, and many files are shared among processes, to one end."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_tune_pipeline.ingestion import examining, ingest
from repo_tune_pipeline.records import Snapshot
from repo_tune_pipeline.settings import IngestionSettings
from repo_tune_pipeline_tests.ingestion.repositories import Repository

FILES = {
    "a.py": "def a():\n    return 1\n",
    "b.py": "b = 2\n",
    "docs/c.md": "# C\n\nText.\n",
    "data.json": "{}",
    "latin.py": b"# caf\xe9\nx = 1\n",
}


def read(source: Path, folder: Path, memory: Path | None) -> Snapshot:
    settings = IngestionSettings()
    return ingest(
        str(source), name="local/shop", settings=settings, mirrors=folder / "m", memory=memory
    )


def test_only_what_changed_is_examined_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examined: list[str] = []
    examine = examining.examine

    def noted(path: str, *rest: object) -> object:
        examined.append(path)
        return examine(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(examining, "examine", noted)
    memory = tmp_path / "examined.db"
    repository.commit(FILES)
    first = read(repository.folder, tmp_path, memory)
    assert sorted(examined) == ["a.py", "b.py", "docs/c.md", "latin.py"]
    assert read(repository.folder, tmp_path, memory) == first
    assert len(examined) == 4
    repository.commit({**FILES, "b.py": "b = 3\n", ".gitattributes": "a.py linguist-generated\n"})
    changed = read(repository.folder, tmp_path, memory)
    assert "docs/c.md" not in examined[4:]
    assert "b.py" in examined[4:]
    assert changed == read(repository.folder, tmp_path, None)
    assert {entry.path for entry in changed.ledger if entry.reason == "generated"} == {"a.py"}


def test_worker_processes_come_to_the_same_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    for number in range(60):
        body = "\n".join(f"value_{n} = compute({n}, {number})" for n in range(2_000))
        (folder / f"part_{number}.py").write_text(body)
    together = read(folder, tmp_path, None)
    assert len(together.files) == 60
    assert sum(file.size for file in together.files) > examining.BYTES_A_WORKER
    for file in together.files:
        assert file.text == (folder / file.path).read_text()

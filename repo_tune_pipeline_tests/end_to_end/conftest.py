"""One walk through the whole chain, on a real git repository, that several tests look at."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all, git, repo_tune

STEPS = 12
CONFIG = f"""\
training:
  max_steps: {STEPS}
sft:
  heldout_share: 0.25
evaluation:
  max_examples: 40
  max_generations: 6
  max_new_tokens: 24
  bootstrap_resamples: 200
  general_texts: 4
  placebo: ""
variants:
  main: {{}}
"""


@dataclass(frozen=True)
class Walk:
    home: Path
    repository: Path
    commit: str
    config: Path
    result: dict[str, Any]
    err: str

    def again(self, *more: str) -> Any:
        arguments = ["run", self.repository, "--config", self.config, "--json"]
        return repo_tune(*arguments, *more, home=self.home)


@pytest.fixture(scope="session")
def small_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of this project's own files as a git repository, with a README and a few odd files."""
    folder = tmp_path_factory.mktemp("sources") / "acorn"
    for part in ("ingestion", "chunking", "sft"):
        shutil.copytree(
            CHECKOUT / "repo_tune_pipeline" / part,
            folder / part,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(CHECKOUT / "CHANGELOG.md", folder / "README.md")
    (folder / "package-lock.json").write_text("{}")
    (folder / "logo.py").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (folder / "link").symlink_to("/etc/passwd")
    commit_all(folder)
    return folder


@pytest.fixture(scope="session")
def walk(small_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    base = tmp_path_factory.mktemp("walk")
    config = base / "repo_tune.yaml"
    config.write_text(CONFIG)
    home = base / "home"
    done = repo_tune("run", small_repository, "--config", config, "--json", home=home)
    assert done.code == 0, done.err
    head = git(small_repository, "rev-parse", "HEAD")
    return Walk(home, small_repository, head, config, done.result, done.err)

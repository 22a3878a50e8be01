"""A home of each test, which Dagster's definitions find by the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    config = tmp_path / "repo_tune.yaml"
    config.write_text("retraining: {min_changed: 0.25, max_days: 7}\nvariants: {main: {}}\n")
    monkeypatch.setenv("REPO_TUNE_CONFIG", str(config))
    monkeypatch.setenv("REPO_TUNE_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")

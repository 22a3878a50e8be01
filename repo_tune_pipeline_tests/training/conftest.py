from pathlib import Path

import pytest

from repo_tune_pipeline_tests.small_models import build_small_model
from repo_tune_pipeline_tests.training.support import write_dataset


@pytest.fixture(scope="session")
def small_model(tmp_path_factory) -> Path:
    return build_small_model(tmp_path_factory.mktemp("base") / "small")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("datasets") / "0123456789ab")


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """One home for all, so that a recipe is checked once."""
    return tmp_path_factory.mktemp("home")

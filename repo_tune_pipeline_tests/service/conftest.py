from collections.abc import Iterator
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.service.serving import make_home, service


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root: Path = tmp_path_factory.mktemp("service")
    return make_home(root / "home", starter_folder(), name="starter")


@pytest.fixture(scope="session")
def url(home: Home) -> Iterator[str]:
    """A service without a token."""
    with service(home) as address:
        yield address

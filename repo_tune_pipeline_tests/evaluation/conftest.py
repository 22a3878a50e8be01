from pathlib import Path

import pytest

from repo_tune_pipeline_tests.evaluation.worlds import (
    World,
    make_adapter,
    make_world,
    some_examples,
)
from repo_tune_pipeline_tests.small_models import build_small_model


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    return make_world(root, build_small_model(root / "base"))


@pytest.fixture(scope="session")
def idle_adapter(world: World) -> Path:
    """An adapter that leaves every weight as it is: the base model under another name."""
    return make_adapter(world.root / "adapters" / "idle", world.base)


@pytest.fixture(scope="session")
def taught_adapter(world: World) -> Path:
    """An adapter that was trained on texts like the held-out ones, and so knows them."""
    folder = world.root / "adapters" / "taught"
    texts = some_examples()
    return make_adapter(folder, world.base, teach=texts, steps=12, asked=texts[::4])

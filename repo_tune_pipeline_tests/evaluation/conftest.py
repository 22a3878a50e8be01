from pathlib import Path

import pytest

from repo_tune_pipeline_tests.evaluation.worlds import (
    World,
    make_adapter,
    some_examples,
    write_heldout,
    write_manifest,
)
from repo_tune_pipeline_tests.small_models import build_small_model


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("world")
    return World(
        root,
        build_small_model(root / "base"),
        write_heldout(root / "heldout.jsonl", some_examples()),
        write_manifest(root / "manifest.json"),
    )


@pytest.fixture(scope="session")
def idle_adapter(world: World) -> Path:
    """An adapter that leaves every weight as it is: the base model under another name."""
    return make_adapter(world.root / "adapters" / "idle", world.base)


@pytest.fixture(scope="session")
def taught_adapter(world: World) -> Path:
    """An adapter that was trained on the held-out texts themselves."""
    folder = world.root / "adapters" / "taught"
    return make_adapter(folder, world.base, teach=some_examples(), steps=12)

"""The placebo's data: another repository's, as many examples, read once."""

from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home, write_file, write_json
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.evaluation import plan_placebo
from repo_tune_pipeline.settings import EvaluationSettings, Settings, VariantSettings, configs_dir


def a_version(folder: Path, examples: int, repository: str = "acme/ledger") -> Path:
    """As much of an adapter version as a placebo is made from."""
    run = {
        "profile": "starter",
        "base_model": "starter",
        "examples": {"seen": examples},
        "repositories": {repository: "c" * 40},
    }
    write_json(folder / "run.json", run)
    write_file(folder / "axolotl.yaml", b"max_steps: 7\n")
    return folder


def planned(version: Path, home: Path, source: str = "rich"):
    settings = Settings(evaluation=EvaluationSettings(placebo=source))
    return plan_placebo(version, settings, VariantSettings(), configs_dir(), Home(home))


def test_it_learns_from_as_many_examples_of_an_installed_package_by_the_same_recipe(
    tmp_path: Path,
) -> None:
    version = a_version(tmp_path / "version", 150)
    plan = planned(version, tmp_path / "home")
    again = planned(version, tmp_path / "home")
    more = planned(a_version(tmp_path / "other", 200), tmp_path / "home")

    assert plan.examples == 150
    assert list(plan.repositories) == ["local/rich"]
    assert plan.config["max_steps"] == 7
    assert again.fingerprint == plan.fingerprint
    assert more.examples == 200
    assert plan.adapter.is_relative_to(tmp_path / "home" / "placebo")
    # Or it would be trained beside the team's own adapter.
    assert plan.device == tmp_path / "home"


@pytest.mark.parametrize(
    ("source", "repository", "problem"),
    [
        ("no-such-package-anywhere", "acme/ledger", "neither installed nor a repository"),
        ("rich", "textualize/rich", "which the adapter learned from"),
    ],
)
def test_a_source_that_is_none_is_one_clear_error(
    tmp_path: Path, source: str, repository: str, problem: str
) -> None:
    version = a_version(tmp_path / "version", 10, repository)
    with pytest.raises(ConfigError, match=problem):
        planned(version, tmp_path / "home", source)

"""Where metrics go besides: nowhere unless the recipe names it, in Axolotl's own keys."""

import json

import pytest

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.training import prepare_training
from repo_tune_pipeline_tests.training.support import copy_configs, plan, start_worker

SHORT = {"max_steps": 2, "num_epochs": 1}


@pytest.mark.slow
def test_weights_and_biases_keeps_a_run_on_this_machine_where_it_is_told_to(
    tmp_path, dataset, small_model
):
    recipe = {"wandb_project": "team-models", "wandb_mode": "offline"}
    configs = copy_configs(tmp_path / "configs", SHORT, recipe)
    home = tmp_path / "home"
    made = plan(home, dataset, configs=configs, base_model=str(small_model))
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    (kept,) = home.glob("wandb/offline-run-*/run-*.wandb")
    recorded = kept.read_bytes()
    assert b"team-models" in recorded
    losses = [json.loads(line)["loss"] for line in (made.adapter / "metrics.jsonl").open()]
    assert len(losses) == 2
    assert b"train/loss" in recorded


@pytest.mark.parametrize(
    ("key", "package"), [("use_mlflow", "mlflow-skinny"), ("use_comet", "comet-ml")]
)
def test_a_tracker_that_is_not_installed_is_named_before_anything_starts(
    tmp_path, dataset, monkeypatch, key, package
):
    monkeypatch.setattr("repo_tune_pipeline.training.recipe_check.find_spec", lambda name: None)
    configs = copy_configs(tmp_path / "configs", recipe={key: True})
    with pytest.raises(ConfigError) as raised:
        plan(tmp_path / "home", dataset, configs=configs)
    assert str(raised.value) == (
        f"`{key}` needs a package that isn't installed. `pip install {package}`."
    )

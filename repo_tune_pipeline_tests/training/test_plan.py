import os
import subprocess

import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.settings import VariantSettings
from repo_tune_pipeline.training import TrainingPlan, finished_adapter, prepare_training
from repo_tune_pipeline_tests.training.support import (
    CONFIGS,
    PYTHON,
    ROOT,
    copy_configs,
    plan,
    write_dataset,
)


def test_the_version_depends_on_what_is_learned_and_on_no_path(
    tmp_path, home, dataset, small_model
):
    base = str(small_model)
    first = plan(home, dataset, base_model=base)
    elsewhere = plan(
        home, write_dataset(tmp_path / "d"), configs=copy_configs(tmp_path / "c"), base_model=base
    )
    assert elsewhere.version == first.version == first.fingerprint[:12]
    others = [
        plan(home, dataset, base_model=base, max_steps=3),
        plan(home, dataset, base_model=base, shuffle_labels=True),
        plan(home, dataset, base_model=base, filter=VariantSettings(languages=("Rust",))),
        plan(home, write_dataset(tmp_path / "more", 49), base_model=base),
    ]
    assert len({first.version, *(other.version for other in others)}) == 5


def test_a_plan_survives_json(home, dataset, small_model):
    made = plan(
        home, dataset, base_model=str(small_model), filter=VariantSettings(languages=("Go", "Rust"))
    )
    assert TrainingPlan.from_json(made.to_json()) == made
    with pytest.raises(StorageError):
        TrainingPlan.from_json(b"{}")


def test_a_step_limit_is_a_ceiling_and_not_a_wish(home, dataset, small_model):
    """48 examples in batches of the starter profile, whose limit is higher."""
    made = plan(home, dataset, base_model=str(small_model), max_steps=1_000_000)
    config = made.config
    batch = config["micro_batch_size"] * config["gradient_accumulation_steps"]
    assert made.steps == config["max_steps"] == -(-48 // batch) * config["num_epochs"]
    assert plan(home, dataset, base_model=str(small_model), max_steps=5).steps == 5


def test_a_prepared_training_holds_its_plan_recipe_and_data(home, dataset, small_model):
    rust = VariantSettings(languages=("Rust",))
    made = plan(home, dataset, base_model=str(small_model), variant="rust", filter=rust)
    plan_file = prepare_training(made)
    assert TrainingPlan.from_json(plan_file.read_bytes()) == made
    assert made.data_file.read_bytes().count(b"\n") == made.examples == 24
    assert made.repositories == {"team/two": "2" * 40}
    assert (plan_file.parent / "axolotl.yaml").is_file()
    assert finished_adapter(made, Home(home)) is None


def test_a_data_set_that_changed_after_planning_is_noticed(tmp_path, home, small_model):
    folder = write_dataset(tmp_path / "d")
    made = plan(home, folder, base_model=str(small_model), variant="changed")
    write_dataset(folder, 12)
    with pytest.raises(StorageError, match="changed since"):
        prepare_training(made)


def test_planning_loads_neither_torch_nor_axolotl(home, dataset, small_model):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from repo_tune_pipeline.training import *\n"
        "from repo_tune_pipeline.settings import *\n"
        "from repo_tune_pipeline.artifacts import Home\n"
        "home, dataset, base, configs = sys.argv[1:]\n"
        "made = plan_training(dataset=Path(dataset), variant='main', filter=VariantSettings(),\n"
        "    settings=TrainingSettings(base_model=base), configs=Path(configs),\n"
        "    home=Home(Path(home)))\n"
        "prepare_training(made), read_progress(made.work_dir), machine_facts()\n"
        "heavy = {'torch', 'transformers', 'axolotl', 'peft', 'datasets', 'dagster'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [PYTHON, "-c", script, str(home), str(dataset), str(small_model), str(CONFIGS)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"

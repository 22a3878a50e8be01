"""`repo-tune train --dry-run`: what a training will need, for any machine, before it starts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from repo_tune_pipeline.training import resolve_base_model, starter_folder
from repo_tune_pipeline_tests.end_to_end.program import repo_tune
from repo_tune_pipeline_tests.training.support import write_dataset

SEED_MODELS = (
    "Qwen/Qwen2-7B-Instruct",
    "microsoft/CodeGPT-small-py",
    "codellama/CodeLlama-7b-Instruct-hf",
    "WizardLM/WizardCoder-15B-V1.0",
)
GIB = 1024**3


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home with a small data set."""
    home = tmp_path_factory.mktemp("home")
    made = write_dataset(home / "datasets" / "0123456789ab", 60)
    (home / "datasets" / "latest").symlink_to(made.name)
    return home


@pytest.mark.parametrize("base_model", SEED_MODELS)
def test_a_model_that_is_not_here_is_planned_for_four_sizes_of_gpu(home, base_model):
    done = repo_tune("train", "--dry-run", "--base-model", base_model, "--json", home=home)
    assert done.code == 0, done.err
    said = done.result
    assert said["base_model"] == base_model
    assert said["examples"] == 60
    assert [round(gpu["free_bytes"] / GIB / 0.94) for gpu in said["gpus"]] == [8, 16, 24, 80]
    for plan in [said["here"], *said["gpus"]]:
        assert plan["needed_bytes"] == sum(plan["parts_bytes"].values())
        assert plan["fits"] == (plan["needed_bytes"] <= plan["free_bytes"])
        assert (plan["settings"] is not None) == plan["fits"]
    fits = [gpu["fits"] for gpu in said["gpus"]]
    # 15 billion parameters are 7.5 GB in 4 bits, and 7 billion with logits in 16 bits 5.5.
    assert fits == ([False] if "15B" in base_model or "Qwen" in base_model else [True]) + [True] * 3
    assert not list(home.glob("training/*/*")), "a dry run trains nothing"


def test_a_person_reads_parts_time_cost_and_the_warning(home):
    done = repo_tune("train", "--dry-run", "--price-per-hour", "3.5", home=home)
    assert done.code == 0, done.err
    for word in ("memory: weights", "memory: logits", "steps", "tokens/s", "cost"):
        assert word in done.out
    assert "Only 60 examples" in done.out


def test_several_processes_take_fewer_steps_and_read_as_much(home):
    one, two = (
        repo_tune("train", "--dry-run", "--num-gpus", count, "--json", home=home).result
        for count in ("1", "2")
    )
    assert two["steps"] == pytest.approx(one["steps"] / 2, rel=0.1)
    assert two["tokens"] == pytest.approx(one["tokens"], rel=0.1)
    assert "2 processes" in two["here"]["device"]
    assert two["here"]["free_bytes"] == pytest.approx(one["here"]["free_bytes"] / 2, rel=0.1)


def test_the_speed_is_that_of_an_earlier_training_here(home):
    args = ("train", "--dry-run", "--price-per-hour", "2", "--json")
    before = repo_tune(*args, home=home).result["here"]
    assert "assuming" in before["speed_source"]
    version = home / "adapters" / "main" / "123456789abc"
    version.mkdir(parents=True)
    run = {
        "version": version.name,
        "variant": "main",
        "profile": "starter",
        "base_digest": resolve_base_model("starter").digest,
    }
    (version / "run.json").write_text(json.dumps(run))
    rows = [{"step": step, "tokens_per_second": rate} for step, rate in ((1, 50), (2, 100), (3, 9))]
    (version / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    after = repo_tune(*args, home=home).result
    assert after["here"]["tokens_per_second"] == 50
    assert after["here"]["hours"] == pytest.approx(after["tokens"] / 50 / 3600)
    assert after["here"]["cost"] == pytest.approx(2 * after["here"]["hours"])


@pytest.mark.parametrize(
    ("gib", "fits", "said"),
    [
        (1.5, True, "are expected to run out of memory; the training would go on by itself with"),
        (0.5, False, "It doesn't fit here"),
    ],
)
def test_it_warns_of_the_memory_that_is_allowed(home, tmp_path, gib, fits, said):
    config = tmp_path / "repo_tune.yaml"
    config.write_text(f"training:\n  memory_gib: {gib}\nvariants:\n  main: {{}}\n")
    plan = repo_tune("train", "--dry-run", "--json", "--config", config, home=home).result
    assert any(said in warning for warning in plan["warnings"])
    assert (plan["here"]["fits"], plan["here"]["free_bytes"]) == (fits, round(gib * GIB))
    if fits:
        kept = plan["here"]["settings"]
        assert kept["micro_batch_size"] < plan["planned"]["micro_batch_size"]
        examples = kept["micro_batch_size"] * kept["gradient_accumulation_steps"]
        assert examples == plan["planned"]["micro_batch_size"]


def test_a_base_model_whose_config_lacks_a_size_is_one_error(home, tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(starter_folder(), folder)
    config = json.loads((folder / "config.json").read_text())
    del config["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config))
    done = repo_tune("train", "--dry-run", "--base-model", folder, home=home)
    assert done.code == 1
    assert str(folder) in done.err
    assert "Traceback" not in done.err


def test_what_cannot_be_planned_is_told_in_one_error(home):
    unknown = repo_tune("train", "--dry-run", "--base-model", "some/model", home=home)
    assert unknown.code == 1
    assert "some/model" in unknown.err
    assert "Traceback" not in unknown.err
    profile = repo_tune("train", "--dry-run", "--profile", "huge", home=home)
    assert profile.code == 2
    assert "huge" in profile.err
    variant = repo_tune("train", "--dry-run", "--variant", "other", home=home)
    assert variant.code == 2
    assert "main" in variant.err


def test_auto_says_which_profile_it_took_and_why(home):
    done = repo_tune("train", "--dry-run", "--profile", "auto", home=home)
    assert done.code == 0, done.err
    assert "GiB of disk are free" in done.out.replace("\n", " ")
    assert repo_tune("train", "--dry-run", "--profile", "auto", "--json", home=home).result["here"][
        "profile"
    ] in ("starter", "cpu", "gpu-8gb", "gpu-24gb", "gpu-80gb")

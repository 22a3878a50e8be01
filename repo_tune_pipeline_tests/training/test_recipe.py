import os
import subprocess

import pytest
import yaml

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.settings import TrainingSettings
from repo_tune_pipeline.training.recipe import lay, place, read_layers
from repo_tune_pipeline.training.recipe_check import check_recipe
from repo_tune_pipeline_tests.training.support import CONFIGS, PYTHON, ROOT, copy_configs, plan

ALL_PROFILES = {
    key: value
    for file in sorted((CONFIGS / "profiles").glob("*.yaml"))
    for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()
}


def test_a_profile_lies_over_the_recipe_and_the_settings_over_both():
    layers = read_layers(CONFIGS, "starter")
    recipe, profile = (layer.values for layer in layers)
    merged = lay(layers, TrainingSettings(base_model="team/model", max_steps=7))
    assert merged["lora_dropout"] == recipe["lora_dropout"] == 0.05
    assert merged["optimizer"] == profile["optimizer"] != recipe["optimizer"]
    assert (merged["base_model"], merged["max_steps"]) == ("team/model", 7)


def test_mappings_are_merged_deep_and_null_takes_a_key_away(tmp_path):
    profile = {"bnb_config_kwargs": {"bnb_4bit_use_double_quant": False}, "max_grad_norm": None}
    merged = lay(read_layers(copy_configs(tmp_path / "c", profile), "starter"), TrainingSettings())
    assert merged["bnb_config_kwargs"] == {
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": False,
    }
    assert "max_grad_norm" not in merged


def test_the_base_model_is_the_profiles_or_else_the_recipes():
    names = [
        lay(read_layers(CONFIGS, profile), TrainingSettings())["base_model"]
        for profile in ("starter", "gpu-24gb")
    ]
    assert names == ["starter", "Qwen/Qwen2-7B-Instruct"]


def test_further_data_sets_and_plugins_of_the_recipe_stay(tmp_path):
    recipe = {
        "datasets": [{"path": "a"}, {"path": "/more.jsonl", "type": "alpaca"}],
        "plugins": ["other.Plugin"],
    }
    placed = place(recipe, base_model="m", work_dir=tmp_path)
    assert [entry["path"] for entry in placed["datasets"]] == [
        str(tmp_path / "train.jsonl"),
        "/more.jsonl",
    ]
    assert placed["plugins"][0] == "other.Plugin"
    assert len(placed["plugins"]) == 2


def test_an_unknown_profile_is_an_error_that_lists_the_profiles():
    with pytest.raises(ConfigError, match=r"no profile 'tpu'.*cpu, gpu-24gb, gpu-80gb, gpu-8gb"):
        read_layers(CONFIGS, "tpu")


def test_a_recipe_cannot_let_a_base_model_run_its_own_code(tmp_path):
    configs = copy_configs(tmp_path / "c", {"trust_remote_code": True})
    with pytest.raises(ConfigError, match=r"starter.yaml: `trust_remote_code` would run programs"):
        read_layers(configs, "starter")


@pytest.mark.parametrize(
    ("profile", "recipe", "said"),
    [
        (
            # All keys of all profiles, and one that isn't Axolotl's.
            {**ALL_PROFILES, "lora_drop_out": 0.1},
            None,
            r"profiles/starter.yaml: unknown key `lora_drop_out`. Did you mean `lora_dropout`",
        ),
        (
            None,
            {"datasets": [{"path": "x.jsonl", "tipe": "alpaca"}]},
            r"/axolotl.yaml: unknown key `datasets.tipe`. Did you mean `type`",
        ),
        ({"lora_r": "many"}, None, r"starter.yaml: `lora_r` is 'many': .*valid integer"),
        (
            {"load_in_8bit": True},
            None,
            r"starter.yaml with .*axolotl.yaml: Axolotl refuses the recipe: .*8bit",
        ),
    ],
    ids=["unknown key", "unknown key below another", "wrong type", "contradiction"],
)
def test_what_axolotl_does_not_take_is_an_error_with_file_and_key(
    tmp_path, home, dataset, small_model, profile, recipe, said
):
    configs = copy_configs(tmp_path / "c", profile, recipe)
    with pytest.raises(ConfigError, match=said) as caught:
        plan(home, dataset, configs=configs, base_model=str(small_model))
    assert caught.value.exit_code == 2
    assert caught.value.remedy


@pytest.mark.slow
@pytest.mark.parametrize("profile", sorted(path.stem for path in (CONFIGS / "profiles").iterdir()))
def test_axolotl_takes_every_profile(tmp_path, profile):
    check_recipe(read_layers(CONFIGS, profile), Home(tmp_path))


def test_axolotl_train_takes_the_recipe_as_it_stands_up_to_the_base_model(tmp_path):
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_HOME": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
        "AXOLOTL_DO_NOT_TRACK": "1",
    }
    command = [PYTHON, "-m", "axolotl.cli.main", "train", str(CONFIGS / "axolotl.yaml")]
    done = subprocess.run(
        [*command, "--launcher", "python"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "ValidationError" not in said
    # What stops it is the hub, asked for the base model's config.
    assert "load_model_config" in said
    assert "couldn't connect to 'https://huggingface.co'" in said


def test_the_names_of_transformers_and_peft_are_read_as_axolotls(
    tmp_path, home, dataset, small_model
):
    theirs = {
        "per_device_train_batch_size": 3,
        "lora": {"r": 8, "alpha": 24, "dropout": 0.25},
        "lora_r": None,
        "lora_alpha": None,
        "micro_batch_size": None,
    }
    values = {key: value for key, value in theirs.items() if value is not None}
    configs = copy_configs(tmp_path / "c")
    profile = configs / "profiles" / "starter.yaml"
    ours = yaml.safe_load(profile.read_text())
    kept = {key: value for key, value in ours.items() if key not in theirs}
    profile.write_text(yaml.safe_dump({**kept, **values}))
    made = plan(home, dataset, configs=configs, base_model=str(small_model))
    read = ("micro_batch_size", "lora_r", "lora_alpha", "lora_dropout")
    assert [made.config[name] for name in read] == [3, 8, 24, 0.25]
    assert not {"lora", "per_device_train_batch_size"} & made.config.keys()
    assert f"{profile}: `lora.r` is read as Axolotl's `lora_r`." in made.notes
    assert len(made.notes) == 4


@pytest.mark.parametrize(
    ("profile", "said", "remedy"),
    [
        ({"lora": {"rank": 8}}, r"starter.yaml: unknown key `lora.rank`", "alpha, dropout, r, "),
        ({"lora": 8}, r"starter.yaml: `lora` is 8, where a mapping belongs", "alpha, dropout"),
        (
            {"lora": {"r": 8}, "lora_r": 16},
            r"starter.yaml: `lora.r` and `lora_r` are the same setting",
            "Keep one",
        ),
    ],
    ids=["unknown key", "no mapping", "both names"],
)
def test_a_setting_in_two_ways_or_in_none_is_an_error(tmp_path, profile, said, remedy):
    with pytest.raises(ConfigError, match=said) as caught:
        read_layers(copy_configs(tmp_path / "c", profile), "starter")
    assert remedy in caught.value.remedy

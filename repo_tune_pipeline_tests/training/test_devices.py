"""Several processes that train one adapter together, and what a machine must have for it."""

import json
import os

import pytest

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.training import prepare_training
from repo_tune_pipeline.training.launch import train_command, train_environment
from repo_tune_pipeline_tests.training.support import (
    child_of,
    copy_configs,
    is_alive,
    plan,
    processes_in,
    start_worker,
    wait_for,
)

STEPS = 6
NOISE = 0.003
"""Nats; the steps are 0.3 apart. One process with two threads adds up in another order."""


def trained(made) -> list[dict]:
    worker = start_worker(prepare_training(made))
    _, said = worker.communicate()
    assert worker.returncode == 0, said
    return [json.loads(line) for line in (made.adapter / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def gpus(tmp_path, monkeypatch):
    """A machine on which nvidia-smi lists so many GPUs."""

    def install(count: int) -> None:
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir(exist_ok=True)
        lines = "".join("echo 'NVIDIA L4, 23034, 22000, 8.9'\n" for _ in range(count))
        tool.write_text(f"#!/bin/sh\n{lines}")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")

    return install


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
def test_two_processes_learn_what_one_learns_from_twice_the_batch(
    tmp_path, dataset, small_model, grouped
):
    rows = {}
    for processes, micro in ((1, 8), (2, 4)):
        profile = {"micro_batch_size": micro, "lora_dropout": 0, "group_by_length": grouped}
        configs = copy_configs(tmp_path / f"configs{processes}", profile)
        made = plan(
            tmp_path / "home",
            dataset,
            configs=configs,
            base_model=str(small_model),
            max_steps=STEPS,
            num_gpus=processes,
        )
        rows[processes] = trained(made)
        run = json.loads((made.adapter / "run.json").read_text())
        assert run["processes"] == processes
        assert run["steps"] == STEPS
    for one, two in zip(rows[1], rows[2], strict=True):
        assert two["loss"] == pytest.approx(one["loss"], abs=NOISE)
        assert two["tokens"] == one["tokens"]


@pytest.mark.slow
def test_no_process_of_several_is_left_when_the_launcher_is_killed(tmp_path, dataset, small_model):
    configs = copy_configs(tmp_path / "configs", {"save_steps": 2})
    made = plan(
        tmp_path / "home", dataset, configs=configs, base_model=str(small_model), num_gpus=2
    )
    plan_file = prepare_training(made)
    worker = start_worker(plan_file)
    metrics = made.work_dir / "out" / "metrics.jsonl"
    wait_for(lambda: metrics.is_file() and metrics.stat().st_size, worker)
    launcher = child_of(worker)
    os.kill(launcher, 9)
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 1
    assert "SIGKILL" in said
    assert not is_alive(launcher)
    wait_for(lambda: not processes_in(made.work_dir), seconds=10)


@pytest.mark.slow
def test_a_loss_that_is_no_number_names_the_examples_of_every_process(
    tmp_path, dataset, small_model
):
    configs = copy_configs(
        tmp_path / "configs", {"learning_rate": 1.0e30, "micro_batch_size": 1, "warmup_ratio": 0}
    )
    made = plan(
        tmp_path / "home", dataset, configs=configs, base_model=str(small_model), num_gpus=2
    )
    worker = start_worker(prepare_training(made))
    _, said = worker.communicate()
    assert worker.returncode == 1
    assert "the loss is nan" in said
    named = [line for line in said.splitlines() if ":1-3" in line]
    assert len(named) == 2


def test_more_gpus_than_there_are_is_an_error(tmp_path, dataset, home, gpus):
    gpus(2)
    assert plan(home, dataset).processes == 2
    assert plan(home, dataset, num_gpus=1).processes == 1
    with pytest.raises(ConfigError, match="`num_gpus` is 3, and this machine has 2"):
        plan(home, dataset, num_gpus=3)


@pytest.mark.parametrize(
    ("there", "named", "asked", "seen"),
    [(3, None, 2, "0,1"), (3, None, 0, "0,1,2"), (3, None, 1, "0"), (2, "5,7", 1, "5")],
)
def test_the_trainer_is_shown_as_many_gpus_as_it_has_processes(
    home, dataset, gpus, monkeypatch, there, named, asked, seen
):
    gpus(there)
    if named:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    made = plan(home, dataset, num_gpus=asked)
    environment, command = train_environment(made), train_command(made, None)
    assert environment["CUDA_VISIBLE_DEVICES"] == seen
    assert "ACCELERATE_USE_CPU" not in environment
    count = len(seen.split(","))
    assert (f"--nproc_per_node={count}" in command) == (count > 1)


def test_several_processes_are_another_training_with_fewer_steps(home, dataset):
    one, two = plan(home, dataset), plan(home, dataset, num_gpus=2)
    assert two.version != one.version
    assert two.steps == pytest.approx(one.steps / 2, abs=1)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("fsdp_config", {"state_dict_type": "FULL_STATE_DICT"}, "this machine has none"),
        ("use_ray", True, r"'repo-tune-pipeline\[ray\]'|this machine has none"),
        ("deepspeed", {"zero_optimization": {"stage": 2}}, "pip install deepspeed"),
        ("deepspeed", "zero.json", r"zero.json, which can't be read: No such file"),
    ],
)
def test_what_this_machine_lacks_for_many_devices_is_said_before_it_starts(
    tmp_path, dataset, key, value, said
):
    configs = copy_configs(tmp_path / "configs", {key: value})
    with pytest.raises(ConfigError) as raised:
        plan(tmp_path / "home", dataset, configs=configs)
    assert key in str(raised.value)
    assert raised.match(said)


def test_a_deepspeed_file_is_part_of_what_a_training_depends_on(
    tmp_path, dataset, monkeypatch, gpus
):
    gpus(2)
    monkeypatch.setattr("repo_tune_pipeline.training.recipe_check.find_spec", lambda name: name)
    configs = copy_configs(tmp_path / "configs", {"deepspeed": "../zero.json"})
    versions = set()
    for stage in (1, 2):
        (configs / "zero.json").write_text(json.dumps({"zero_optimization": {"stage": stage}}))
        made = plan(tmp_path / "home", dataset, configs=configs)
        assert made.config["deepspeed"] == {"zero_optimization": {"stage": stage}}
        versions.add(made.version)
    assert len(versions) == 2

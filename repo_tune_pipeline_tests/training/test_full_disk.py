"""A training whose disk fills up says so, keeps what it has, and goes on when there is room."""

import json
import subprocess

import pytest

from repo_tune_pipeline.training import prepare_training, read_metrics
from repo_tune_pipeline_tests.training.support import (
    PYTHON,
    ROOT,
    copy_configs,
    plan,
    start_worker,
)

PROFILE = {"save_steps": 2, "micro_batch_size": 4, "num_epochs": 1}
PROGRAM = "repo_tune_pipeline_tests.training.on_a_small_disk"


@pytest.mark.slow
def test_a_disk_that_fills_up_is_named_and_the_training_goes_on_from_its_checkpoint(
    tmp_path, dataset, small_model, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    configs = copy_configs(tmp_path / "configs", PROFILE)
    home = tmp_path / "home"
    home.mkdir()
    program = f"{PYTHON} -m {PROGRAM} {home} {dataset} {small_model} {configs}"
    script = f"mount -t tmpfs -o size=64m none {home} && exec {program}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    code, message = said["full"]
    assert code == 1
    assert message.startswith("The disk is full")
    assert "--home" in message
    assert "Traceback" not in message
    assert said["left"] == []
    assert said["again"][0] == 0, said["again"][1]
    assert said["resumed"] >= 2

    undisturbed = plan(tmp_path / "other", dataset, configs=configs, base_model=str(small_model))
    worker = start_worker(prepare_training(undisturbed))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    losses = [row["loss"] for row in read_metrics(undisturbed.adapter / "metrics.jsonl")]
    assert said["losses"] == pytest.approx(losses, abs=1e-3)

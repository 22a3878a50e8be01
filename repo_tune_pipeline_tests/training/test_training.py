"""Real trainings: Axolotl, QLoRA, 4 bits, on a model of a million parameters."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import dagster as dg
import pytest

from repo_tune_pipeline.artifacts import Home, digest_file, digest_json, read_json
from repo_tune_pipeline.training import (
    finished_adapter,
    prepare_training,
    read_metrics,
    read_progress,
)
from repo_tune_pipeline.training.progress import metrics_file
from repo_tune_pipeline.training.recipe import output_dir
from repo_tune_pipeline.training.trainer import last_lines
from repo_tune_pipeline_tests.training.support import (
    PYTHON,
    ROOT,
    child_of,
    copy_configs,
    is_alive,
    plan,
    start_worker,
    wait_for,
)

STEPS = 24
TEN_LINES = """
import json, sys
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
folder = sys.argv[1]
base = AutoModelForCausalLM.from_pretrained(
    json.load(open(folder + "/adapter_config.json"))["base_model_name_or_path"])
model = PeftModel.from_pretrained(base, folder)
tokens = AutoTokenizer.from_pretrained(folder)("def function_1(value):", return_tensors="pt")
changed = model(**tokens).logits
with model.disable_adapter():
    print("changed by", (changed - model(**tokens).logits).abs().max().item())
"""


@pytest.fixture(scope="module")
def configs(tmp_path_factory) -> Path:
    """Small batches and frequent checkpoints, so that an interruption is soon over."""
    profile = {"save_steps": 4, "micro_batch_size": 2, "learning_rate": 0.01, "num_epochs": 1}
    return copy_configs(tmp_path_factory.mktemp("configs") / "c", profile)


@pytest.fixture(scope="module")
def planned(home, dataset, small_model, configs):
    made = plan(home, dataset, configs=configs, base_model=str(small_model), variant="real")
    assert made.steps == STEPS
    return made


@pytest.fixture(scope="module")
def killed(planned) -> dict:
    """The trainer gets kill -9 after a whole checkpoint, and a newer broken one is planted."""
    plan_file = prepare_training(planned)
    worker = start_worker(plan_file)
    trainer = child_of(worker)
    out = output_dir(planned.work_dir)
    wait_for(lambda: (out / "checkpoint-4" / "trainer_state.json").is_file(), worker)
    wait_for(lambda: (progress := read_progress(planned.work_dir)) and progress.step > 4, worker)
    progress = read_progress(planned.work_dir)
    os.kill(trainer, signal.SIGKILL)
    _, stderr = worker.communicate(timeout=60)
    kept = max(int(path.name.split("-")[1]) for path in out.glob("checkpoint-*"))
    broken = shutil.copytree(out / f"checkpoint-{kept}", out / "checkpoint-99")
    optimizer = broken / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:1000])
    told = json.loads((planned.work_dir / "error.json").read_text())
    return {
        "code": worker.returncode,
        "stderr": stderr,
        "told": told,
        "progress": progress,
        "kept": kept,
    }


@pytest.fixture(scope="module")
def resumed(planned, killed) -> dg.ExecuteInProcessResult:
    """The same plan again, this time through Dagster Pipes."""

    @dg.asset
    def adapter(context: dg.AssetExecutionContext):
        command = [PYTHON, "-m", "repo_tune_pipeline.training.worker"]
        client = dg.PipesSubprocessClient(env={"PYTHONPATH": str(ROOT)})
        return client.run(
            context=context, command=[*command, str(planned.work_dir / "plan.json")]
        ).get_materialize_result(implicit_materialization=False)

    return dg.materialize([adapter])


def test_a_killed_trainer_is_an_error_with_the_signal_and_the_logs_last_lines(killed):
    assert killed["code"] == 1
    assert killed["told"]["exit_code"] == 1
    assert "`axolotl train` was ended by SIGKILL" in killed["told"]["problem"]
    assert "'loss':" in killed["told"]["problem"]
    assert "newest whole checkpoint" in killed["told"]["remedy"]
    assert killed["told"]["problem"] in killed["stderr"]
    assert "Traceback" not in killed["stderr"]


def test_progress_can_be_read_while_it_trains(killed):
    progress = killed["progress"]
    assert 4 < progress.step < progress.max_steps == STEPS
    assert progress.loss > 0
    assert progress.tokens_per_second > 0
    assert progress.eta_seconds > 0


def test_the_same_plan_goes_on_from_the_last_whole_checkpoint(planned, killed, resumed, home):
    folder = finished_adapter(planned, Home(home))
    assert folder == planned.adapter
    log = (folder / "training.log").read_text()
    assert "starting at step 0" in log
    assert f"resuming from checkpoint-{killed['kept']} ===" in log
    assert f"Training begins after step {killed['kept']}." in log
    # Each step once, although some were made twice.
    steps = [row["step"] for row in read_metrics(folder / "metrics.jsonl")]
    assert steps == list(range(1, STEPS + 1))
    assert json.loads((folder / "run.json").read_text())["resumed_step"] == killed["kept"]


def test_a_version_holds_what_one_needs_to_use_and_to_explain_it(planned, resumed, dataset):
    folder = planned.adapter
    run = json.loads((folder / "run.json").read_text())
    assert run["dataset_digest"] == digest_json(read_json(dataset / "manifest.json"))
    assert run["repositories"] == {"team/one": "1" * 40, "team/two": "2" * 40}
    assert run["examples"] == {"seen": 48, "kept": 48, "dropped": {}, "replayed": 0}
    assert (run["steps"], run["variant"], run["profile"]) == (STEPS, "real", "starter")
    assert run["train_loss"] > 0
    assert run["peak_memory_bytes"] > 100 * 1024**2
    assert run["versions"]["axolotl"]
    losses = [row["loss"] for row in read_metrics(folder / "metrics.jsonl")]
    assert losses[-1] < losses[0]
    assert (folder / "axolotl.yaml").read_text().startswith("base_model:")
    assert (folder.parent / "latest").resolve() == folder
    # Neither what would mislead AutoModel, nor the working folder with its checkpoints.
    assert not (folder / "config.json").exists()
    assert not planned.work_dir.exists()
    assert read_progress(planned.work_dir) is None


def test_tensorboard_shows_the_same_losses_over_all_attempts(planned, resumed):
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    shown = EventMultiplexer().AddRunsFromDirectory(str(planned.adapter)).Reload()
    (run,) = shown.Runs()
    losses = {event.step: event.value for event in shown.Scalars(run, "train/loss")}
    metrics = read_metrics(planned.adapter / "metrics.jsonl")
    assert losses == pytest.approx({row["step"]: row["loss"] for row in metrics}, rel=1e-4)


def test_dagster_is_told_of_the_version(planned, resumed):
    materialization = resumed.asset_materializations_for_node("adapter")[0]
    assert materialization.tags["dagster/data_version"] == digest_file(
        planned.adapter / "adapter_model.safetensors"
    )
    curve = materialization.metadata["loss_curve"].value
    assert [step for step, _ in curve] == list(range(1, STEPS + 1))
    assert materialization.metadata["adapter"].value == str(planned.adapter)


def test_the_adapter_loads_with_plain_peft_from_another_folder(planned, resumed, tmp_path):
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [PYTHON, "-c", TEN_LINES, str(planned.adapter)],
        cwd=tmp_path,
        env={**environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout.rsplit(" ", 1)[1]) > 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_trainer_outlives_its_worker(home, dataset, small_model, how):
    made = plan(home, dataset, base_model=str(small_model), variant=f"ended-by-{how.name}")
    worker = start_worker(prepare_training(made))
    trainer = child_of(worker)
    assert is_alive(trainer)
    second = start_worker(made.work_dir / "plan.json")
    assert "is being trained already" in second.communicate(timeout=180)[1]
    worker.send_signal(how)
    worker.communicate(timeout=60)
    wait_for(lambda: not is_alive(trainer), seconds=30)
    assert worker.returncode == (128 + how if how is signal.SIGTERM else -how)
    if how is signal.SIGTERM:
        told = json.loads((made.work_dir / "error.json").read_text())
        assert told["problem"] == "The training was stopped by SIGTERM."
    assert not made.adapter.exists()


def test_of_a_traceback_in_the_log_a_reader_is_told_its_last_line(tmp_path):
    log = tmp_path / "training.log"
    log.write_text(
        "step 1\nTraceback (most recent call last):\n"
        '  File "a.py", line 1, in f\n    g()\n    ~^^\nOSError: the disk is full\nend\n'
    )
    assert last_lines(log) == ["step 1", "OSError: the disk is full", "end"]
    log.write_text("".join(f"line {index} {'x' * 1000}\n" for index in range(1000)))
    lines = last_lines(log)
    assert (len(lines), lines[-1][:8], len(lines[-1])) == (20, "line 999", 300)


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_ends_the_training_and_names_the_step_and_its_examples(
    home, dataset, small_model, tmp_path
):
    changes = {"learning_rate": 1e30, "max_grad_norm": 0.0, "micro_batch_size": 3}
    configs = copy_configs(tmp_path / "c", changes)
    made = plan(home, dataset, configs=configs, base_model=str(small_model), variant="nan")
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 1
    step = len(read_metrics(metrics_file(made.work_dir))) + 1
    assert f"Training of variant nan stopped at step {step}: the loss is nan." in stderr
    examples = re.findall(r"^team/(?:one|two) src/function_\d+\.py:1-3$", stderr, re.MULTILINE)
    assert len(set(examples)) == len(examples) == 3
    assert "Lower `learning_rate`" in stderr

"""Out of memory: under a true limit a training goes on with less, and comes to the same end."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings
from repo_tune_pipeline.training import forecast, prepare_training, read_metrics
from repo_tune_pipeline.training.ladder import SHORTEST_SEQUENCE, Rung
from repo_tune_pipeline_tests.small_models import build_small_model
from repo_tune_pipeline_tests.training.support import (
    copy_configs,
    plan,
    start_worker,
    write_dataset,
)

LIMIT_GIB = 2.35
"""A micro-batch of 16 with an example of a thousand tokens passed in one of two runs at 2.6 GiB,
and one of 8 in most at 2.2; at 1.75 GiB not even one of 1 did without gradient checkpointing.
"""
NOISE = 0.06
"""Nats. In their third step two undisturbed trainings differed by 0.012, and one of micro-batch 1
from one of 16 by 0.039. The steps themselves are 0.5 and 0.25 apart.
"""
PROFILE = {
    "micro_batch_size": 16,
    "gradient_accumulation_steps": 1,
    "num_epochs": 1,
    "max_steps": 3,
    "save_steps": 1,
    "lora_dropout": 0.0,
    # Else the long example would come first, and nothing would be gone on with.
    "group_by_length": False,
}
LONG = 33


@pytest.fixture(scope="module")
def long_dataset(tmp_path_factory) -> Path:
    """Three batches' worth of short examples, and one among them that is long."""
    folder = write_dataset(tmp_path_factory.mktemp("datasets") / "abcdef012345", 48)
    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()]
    rows[LONG]["output"] *= 60
    (folder / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, long_dataset, small_model):
    """Trainings of one kind: undisturbed, under a limit, and again under it."""
    home = tmp_path_factory.mktemp("home")
    configs = copy_configs(tmp_path_factory.mktemp("configs") / "c", PROFILE)

    def train(variant: str, memory_gib: float) -> tuple[dict, list[float], str]:
        made = plan(
            home,
            long_dataset,
            configs=configs,
            base_model=str(small_model),
            variant=variant,
            memory_gib=memory_gib,
        )
        worker = start_worker(prepare_training(made))
        _, stderr = worker.communicate(timeout=300)
        assert worker.returncode == 0, stderr
        losses = [row["loss"] for row in read_metrics(made.adapter / "metrics.jsonl")]
        run = json.loads((made.adapter / "run.json").read_text())
        return run, losses, (made.adapter / "training.log").read_text()

    return {
        "free": train("free", 0),
        "limited": train("limited", LIMIT_GIB),
        "again": train("again", LIMIT_GIB),
        "foretold": forecast(
            settings=TrainingSettings(base_model=str(small_model), memory_gib=LIMIT_GIB, replay=0),
            configs=configs,
            home=Home(home),
            variant="main",
            filter=VariantSettings(),
            dataset=long_dataset,
        ),
    }


def test_a_training_that_runs_out_of_memory_goes_on_with_smaller_batches(trained):
    run, _losses, log = trained["limited"]
    ladder = run["ladder"]
    assert ladder["planned"]["micro_batch_size"] == 16
    assert ladder["out_of_memory_with"][0] == ladder["planned"]
    used = ladder["used"]
    assert 1 <= used["micro_batch_size"] < 16
    assert used["micro_batch_size"] * used["gradient_accumulation_steps"] == 16
    assert "=== Out of memory with micro-batch 16 x accumulation 1" in log
    assert "resuming from checkpoint-" in log


def test_it_learns_what_it_would_have_learned(trained):
    undisturbed, limited = trained["free"][1], trained["limited"][1]
    assert len(undisturbed) == len(limited) == 3
    assert limited == pytest.approx(undisturbed, abs=NOISE)


def test_the_next_training_begins_with_what_fitted(trained):
    run, losses, log = trained["again"]
    assert run["ladder"]["planned"] not in run["ladder"]["out_of_memory_with"]
    fitted = trained["limited"][0]["ladder"]["used"]
    assert run["ladder"]["used"]["micro_batch_size"] <= fitted["micro_batch_size"]
    assert "An earlier training ran out of memory" in log
    assert losses == pytest.approx(trained["free"][1], abs=NOISE)


def test_a_dry_run_says_with_what_the_next_training_begins(trained):
    foretold, fitted = trained["foretold"], trained["again"][0]["ladder"]["used"]
    assert any("An earlier training ran out of memory" in note for note in foretold.notes)
    assert foretold.planned.micro_batch_size == 16
    assert foretold.here.rung.micro_batch_size <= fitted["micro_batch_size"]
    assert foretold.here.rung.batch == 16


@pytest.mark.slow
def test_where_nothing_else_is_left_sequences_are_shortened_and_what_that_costs_is_counted(
    tmp_path, long_dataset
):
    base = build_small_model(tmp_path / "base", vocabulary=120_000)
    profile = {**PROFILE, "micro_batch_size": 1, "gradient_checkpointing": True}
    made = plan(
        tmp_path / "home",
        long_dataset,
        configs=copy_configs(tmp_path / "c", {**profile, "group_by_length": True}),
        base_model=str(base),
        memory_gib=LIMIT_GIB,
    )
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    run = json.loads((made.adapter / "run.json").read_text())
    planned, used = run["ladder"]["planned"], run["ladder"]["used"]
    assert used["sequence_len"] < planned["sequence_len"] == 1024
    assert {**used, "sequence_len": 1024} == planned
    assert run["examples"]["dropped"] == {
        "too_long": 1,
        "beyond_max_steps": made.examples - made.reached,
    }
    assert "sequences of 512 tokens" in (made.adapter / "training.log").read_text()


def test_where_not_even_the_model_fits_nothing_else_is_tried(home, dataset, small_model):
    made = plan(home, dataset, base_model=str(small_model), variant="tiny", memory_gib=0.5)
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 1
    assert "memory ran out while" in stderr
    assert "`training.memory_gib`" in stderr
    assert "Traceback" not in stderr
    assert (made.work_dir / "training.log").read_text().count("starting at step 0") == 1


@given(
    st.builds(
        Rung,
        st.integers(1, 64),
        st.integers(1, 64),
        st.booleans(),
        st.integers(64, 8192),
    )
)
def test_every_rung_takes_less_and_the_batch_stays(planned):
    rungs = [planned]
    while (lower := rungs[-1].down()) is not None:
        rungs.append(lower)
    for upper, lower in pairwise(rungs):
        assert lower.batch == planned.batch
        assert lower.micro_batch_size <= upper.micro_batch_size
        assert lower.sequence_len <= upper.sequence_len
        assert lower != upper
    last = rungs[-1]
    assert last.micro_batch_size == 1
    assert last.gradient_checkpointing
    assert last.sequence_len <= SHORTEST_SEQUENCE
    # What costs an example is given up last.
    longest = [rung for rung in rungs if rung.sequence_len == planned.sequence_len]
    assert longest[-1].micro_batch_size == 1
    assert longest[-1].gradient_checkpointing

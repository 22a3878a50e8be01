"""Which examples share a batch, and that a training gone on with reads the same ones."""

import json
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.training import prepare_training, read_metrics, read_progress
from repo_tune_pipeline.training.data_order import EpochOrder
from repo_tune_pipeline_tests.small_models import ARCHITECTURES, build_small_model
from repo_tune_pipeline_tests.training.support import (
    child_of,
    copy_configs,
    plan,
    start_worker,
    wait_for,
    write_dataset,
)

PACKED = {"group_by_length": None, "pad_to_multiple_of": None, "sample_packing": True}


@given(
    lengths=st.lists(st.integers(1, 4096), max_size=700),
    batch=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 50),
    grouped=st.booleans(),
)
def test_each_example_comes_once_an_epoch_in_an_order_that_can_be_drawn_again(
    lengths, batch, seed, epoch, grouped
):
    def order() -> list[int]:
        made = EpochOrder(len(lengths), seed, batch=batch, lengths=lengths if grouped else None)
        made.set_epoch(epoch)
        return list(made)

    assert sorted(order()) == list(range(len(lengths)))
    assert order() == order()


def test_grouped_batches_hold_little_padding_and_the_longest_comes_first():
    lengths = [37 * n % 1000 + 1 for n in range(400)]

    def padding(order: list[int]) -> int:
        batches = [[lengths[n] for n in order[at : at + 4]] for at in range(0, len(order), 4)]
        return sum(len(batch) * max(batch) - sum(batch) for batch in batches)

    mixed, grouped = EpochOrder(400, 42), EpochOrder(400, 42, batch=4, lengths=lengths)
    assert padding(list(grouped)) < padding(list(mixed)) / 20
    assert lengths[next(iter(grouped))] == max(lengths)
    first = list(grouped)
    grouped.set_epoch(1)
    assert list(grouped) != first


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Start the training of a data set with changes to the starter's profile, on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("MKL_NUM_THREADS", "1")

        def made(dataset, changes, **settings):
            folder = tmp_path_factory.mktemp("packed")
            configs = copy_configs(folder / "c", changes)
            return plan(folder / "home", dataset, configs=configs, **settings)

        yield made


def finish(made) -> list[dict]:
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    return read_metrics(made.adapter / "metrics.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_examples_in_one_row_are_learned_as_if_each_stood_alone(train, tmp_path, architecture):
    dataset = write_dataset(tmp_path / "0123456789ab", 6)
    folder = build_small_model(tmp_path / "base", architecture=architecture)
    # GPT-2's own dropouts would draw other numbers for other rows.
    config = json.loads((folder / "config.json").read_text())
    undropped = {name: 0.0 for name in config if name.endswith("_pdrop")}
    (folder / "config.json").write_text(json.dumps({**config, **undropped}))
    base = {"base_model": str(folder)}
    once = {"num_epochs": 1, "max_steps": 1}
    alone = finish(train(dataset, {**once, "micro_batch_size": 6}, **base))
    packed = finish(train(dataset, {**once, **PACKED, "micro_batch_size": 1}, **base))
    assert packed[0]["tokens"] == alone[0]["tokens"]
    assert packed[0]["loss"] == pytest.approx(alone[0]["loss"], abs=1e-4)


@pytest.mark.slow
def test_packed_rows_are_the_same_after_a_kill_in_a_later_epoch(train, tmp_path):
    dataset = write_dataset(tmp_path / "0123456789ab", 48)
    changes = {**PACKED, "micro_batch_size": 1, "sequence_len": 256, "num_epochs": 3}
    changes |= {"save_steps": 4, "max_steps": None}
    undisturbed = finish(train(dataset, changes))
    epochs = {round(row["epoch"] + 0.5) for row in undisturbed}
    assert len(epochs) >= 3

    disturbed = train(dataset, changes)
    worker = start_worker(prepare_training(disturbed))
    late = 2 * len(undisturbed) // 3

    def is_late() -> bool:
        progress = read_progress(disturbed.work_dir)
        return progress is not None and progress.step > late

    wait_for(is_late, worker)
    os.kill(child_of(worker), signal.SIGKILL)
    worker.communicate(timeout=60)
    again = finish(disturbed)
    assert [(row["tokens"], row["loss"]) for row in again] == [
        (row["tokens"], pytest.approx(row["loss"], abs=1e-3)) for row in undisturbed
    ]
    run = json.loads((disturbed.adapter / "run.json").read_text())
    assert run["steps"] == len(undisturbed)

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.training.checkpoints import newest_whole_checkpoint

FILES = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A checkpoint of the trainer's own formats, at step 4."""
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("whole") / "checkpoint-4"
    folder.mkdir()
    save_file({"lora_A": torch.randn(8, 16), "lora_B": torch.zeros(16, 8)}, folder / FILES[0])
    torch.save({"state": {0: torch.randn(64)}}, folder / "optimizer.pt")
    torch.save({"last_epoch": 4}, folder / "scheduler.pt")
    torch.save({"cpu": torch.get_rng_state()}, folder / "rng_state.pth")
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 4}))
    return folder


def plant(checkpoint: Path, out: Path, step: int, max_steps: int = 100) -> Path:
    copy = out / f"checkpoint-{step}"
    shutil.copytree(checkpoint, copy)
    state = {"global_step": step, "max_steps": max_steps}
    (copy / "trainer_state.json").write_text(json.dumps(state))
    return copy


def test_the_whole_checkpoint_with_the_highest_step_is_taken(checkpoint, tmp_path):
    plant(checkpoint, tmp_path, 8)
    newest = plant(checkpoint, tmp_path, 12)
    assert newest_whole_checkpoint(tmp_path) == newest


def test_one_of_the_last_step_is_passed_over_and_stays(checkpoint, tmp_path):
    before, last = plant(checkpoint, tmp_path, 8, 12), plant(checkpoint, tmp_path, 12, 12)
    assert newest_whole_checkpoint(tmp_path) == before
    assert last.is_dir()


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert newest_whole_checkpoint(tmp_path / "out") is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_checkpoint_cut_anywhere_is_set_aside_for_the_one_before(
    checkpoint, tmp_path_factory, data
):
    out = tmp_path_factory.mktemp("out")
    before, cut = plant(checkpoint, out, 8), plant(checkpoint, out, 12)
    file = cut / data.draw(st.sampled_from((*FILES, "trainer_state.json")))
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert newest_whole_checkpoint(out) == before
    assert not cut.exists()
    assert (out / "broken-checkpoint-12").is_dir()


@pytest.mark.parametrize("name", [*FILES, "trainer_state.json"])
def test_a_checkpoint_that_lacks_a_file_is_set_aside(checkpoint, tmp_path, name):
    (plant(checkpoint, tmp_path, 12) / name).unlink()
    assert newest_whole_checkpoint(tmp_path) is None


def test_a_checkpoint_whose_state_is_of_another_step_is_set_aside(checkpoint, tmp_path):
    plant(checkpoint, tmp_path, 4).rename(tmp_path / "checkpoint-99")
    assert newest_whole_checkpoint(tmp_path) is None
    plant(checkpoint, tmp_path, 4).rename(tmp_path / "checkpoint-99")
    assert newest_whole_checkpoint(tmp_path) is None
    assert (tmp_path / "broken-checkpoint-99.2").is_dir()

import os
import subprocess
from pathlib import Path

import pytest

from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.training import base_model, resolve_base_model
from repo_tune_pipeline_tests.training.support import PYTHON, ROOT


def folder_of(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(b"{}")
    return path


def test_a_folder_is_resolved_to_an_absolute_path_and_a_digest_of_its_files(tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "m", "config.json", "model.safetensors", "tokenizer.json")
    monkeypatch.chdir(tmp_path)
    model = resolve_base_model("m")
    assert (model.name, model.reference, model.folder) == ("m", str(folder), folder)
    assert resolve_base_model(str(folder)).digest == model.digest
    (folder / "model.safetensors").write_bytes(b"other")
    assert resolve_base_model("m").digest != model.digest


def test_large_weights_are_digested_by_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(base_model, "_WHOLE_DIGEST_BYTES", 1000)
    folder = folder_of(tmp_path / "m", "config.json", "model.safetensors", "tokenizer.json")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"a" * 5_000_000)
    before = resolve_base_model(str(folder)).digest
    assert resolve_base_model(str(folder)).digest == before
    weights.write_bytes(b"b" + b"a" * 4_999_999)
    assert resolve_base_model(str(folder)).digest != before


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["model.safetensors", "tokenizer.json"], "has no config.json"),
        (["config.json", "tokenizer.json"], "lacks its safetensors weights"),
        (["config.json", "model.safetensors"], "has no tokenizer"),
        (
            ["config.json", "pytorch_model.bin", "tokenizer.json"],
            r"weights are pickled \(pytorch_model.bin\).*Convert it to safetensors",
        ),
    ],
)
def test_a_folder_that_is_no_model_is_refused_with_what_is_missing(tmp_path, files, said):
    folder = folder_of(tmp_path / "m", *files)
    with pytest.raises(BaseModelError, match=said):
        resolve_base_model(str(folder))


def test_a_model_in_parts_needs_all_of_them(tmp_path):
    names = ("config.json", "tokenizer.json", "model-1.safetensors")
    folder = folder_of(tmp_path / "m", *names)
    index = folder / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}')
    with pytest.raises(BaseModelError, match="or a part of them"):
        resolve_base_model(str(folder))
    (folder / "model-2.safetensors").write_bytes(b"{}")
    assert resolve_base_model(str(folder)).folder == folder


def test_a_name_that_is_neither_folder_nor_hub_id_is_refused():
    with pytest.raises(BaseModelError, match="no such folder, and it isn't a hub id"):
        resolve_base_model("./nowhere/at/all")


def test_a_starter_without_weights_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setattr(base_model, "starter_folder", lambda: tmp_path)
    with pytest.raises(BaseModelError, match=r"weights are missing.*Install.*recipe"):
        resolve_base_model("starter")


def test_a_hub_model_that_is_not_here_is_refused_offline_with_the_command_that_fetches_it():
    done = in_process(HF_HUB_OFFLINE="1")
    assert "neither a folder nor in the local hub cache" in done
    assert "HF_HUB_OFFLINE forbids fetching it" in done
    assert "`hf download no-such/model`" in done
    assert "torch loaded: False" in done


def test_a_hub_that_cannot_be_reached_is_named_as_the_reason():
    done = in_process(HF_HUB_OFFLINE="0", HF_ENDPOINT="http://127.0.0.1:9")
    assert "and fetching it failed" in done
    assert "`hf download no-such/model`" in done


def in_process(**environ: str) -> str:
    """Resolve and fetch in a fresh process: the hub's client reads its settings when imported."""
    script = (
        "import sys\n"
        "from repo_tune_pipeline.training.base_model import *\n"
        "try: fetch_base_model(resolve_base_model('no-such/model'))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "print('torch loaded:', 'torch' in sys.modules)\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    done = subprocess.run(
        [PYTHON, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("BaseModelError"), done.stdout
    return done.stdout


def test_a_hub_model_in_the_local_cache_is_used_from_there(tmp_path):
    revision = "a" * 40
    cache = tmp_path / "hub" / "models--team--model"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text(revision)
    (cache / "snapshots").mkdir()
    names = ("config.json", "model.safetensors", "tokenizer.json")
    folder = folder_of(cache / "snapshots" / revision, *names)
    script = (
        "from repo_tune_pipeline.training import resolve_base_model\n"
        "model = resolve_base_model('team/model')\n"
        "print(model.reference, model.folder)\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(tmp_path / "hub")}
    done = subprocess.run(
        [PYTHON, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["team/model", str(folder)]

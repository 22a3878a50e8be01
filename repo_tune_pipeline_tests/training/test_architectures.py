"""Each architecture of the base models that users name: trained, reloaded, asked, exported."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.exports import export_adapter, export_merged, find_version
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.training import TrainingPlan, prepare_training
from repo_tune_pipeline_tests.small_models import ARCHITECTURES, build_small_model
from repo_tune_pipeline_tests.training.support import copy_configs, plan, start_worker

pytestmark = pytest.mark.slow

ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
TARGETS = {
    "qwen2": {*ATTENTION, "gate_proj", "up_proj", "down_proj"},
    "llama": {*ATTENTION, "gate_proj", "up_proj", "down_proj"},
    "gpt2": {"c_attn", "c_proj", "c_fc"},
    "gpt_bigcode": {"c_attn", "c_proj", "c_fc"},
}
PROMPTS = [
    Prompt(f"Complete the Python function function_{number}.", f"def function_{number}(value):\n")
    for number in range(32)
]


@dataclass
class Trained:
    """An adapter version of a small model, and both its exports."""

    architecture: str
    base: Path
    home: Home
    plan: TrainingPlan
    adapter: Path
    merged: Path
    told: dict[str, str]


@pytest.fixture(scope="module", params=ARCHITECTURES)
def trained(request, tmp_path_factory, dataset) -> Trained:
    folder = tmp_path_factory.mktemp(request.param)
    base = build_small_model(folder / "base", architecture=request.param)
    configs = copy_configs(folder / "configs", {"max_steps": 6, "sequence_len": 4096})
    made = plan(folder / "home", dataset, configs=configs, base_model=str(base))
    worker = start_worker(prepare_training(made))
    _, stderr = worker.communicate(timeout=300)
    assert worker.returncode == 0, stderr
    home = Home(folder / "home")
    version = find_version(home, "main")
    export_adapter(version, folder / "adapter")
    told = export_merged(version, folder / "merged", "float32")
    return Trained(request.param, base, home, made, folder / "adapter", folder / "merged", told)


def test_an_adapter_is_trained_on_every_linear_layer_within_the_models_context(trained):
    config = json.loads((trained.adapter / "adapter_config.json").read_text())
    assert set(config["target_modules"]) == TARGETS[trained.architecture]
    assert trained.plan.config["load_in_4bit"]
    assert trained.plan.config["sequence_len"] == 1024
    said = f"`sequence_len` is 4096, and {trained.base} reads 1024 tokens at most: 1024 is used."
    assert said in trained.plan.notes
    assert said in (trained.plan.adapter / "training.log").read_text()


def test_it_answers_alike_as_it_was_saved_exported_and_merged(trained):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = load_local_model(trained.base).answer(PROMPTS, max_tokens=12)
    saved = load_local_model(trained.base, trained.plan.adapter).answer(PROMPTS, max_tokens=12)
    exported = load_local_model(trained.base, trained.adapter).answer(PROMPTS, max_tokens=12)
    merged = load_local_model(trained.merged).answer(PROMPTS, max_tokens=12)
    assert saved == exported == merged
    assert saved != base
    # As users of these libraries load them, without anything of this package.
    plain = AutoModelForCausalLM.from_pretrained(trained.merged, dtype=torch.float32)
    over = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(trained.base, dtype=torch.float32), trained.adapter
    )
    tokens = AutoTokenizer.from_pretrained(trained.merged)("def function_1(value):")["input_ids"]
    with torch.inference_mode():
        logits = [model.eval()(torch.tensor([tokens])).logits for model in (plain, over)]
    assert torch.allclose(*logits, atol=1e-4)


def test_the_exports_say_how_to_serve_them_and_nothing_of_the_home_directory(trained):
    modelfile = (trained.merged / "Modelfile").read_text()
    assert modelfile.startswith('FROM .\nTEMPLATE """')
    assert "{{ .Prompt }}" in modelfile
    stop = "<|im_end|>" if trained.architecture in ("qwen2", "llama") else "<|endoftext|>"
    assert f'PARAMETER stop "{stop}"' in modelfile
    asked = "### Instruction:" if trained.architecture.startswith("gpt") else "<|im_start|>user"
    assert asked in modelfile
    assert "PARAMETER num_ctx 1024" in modelfile
    name = f"main-{trained.plan.version}"
    assert trained.told["vllm"] == f"vllm serve {trained.merged} --served-model-name {name}"
    for folder in (trained.adapter, trained.merged):
        card = (folder / "README.md").read_text()
        assert f"# {name}" in card
        assert "| team/one | 1111111111111111111111111111111111111111 |" in card
        assert "Not evaluated." in card
    texts = (
        path for path in trained.adapter.iterdir() if path.suffix in (".md", ".json", ".jsonl")
    )
    told = [path.name for path in texts if str(trained.home.root) in path.read_text()]
    assert told == []

"""The memory that a plan foretells is what the trainer then takes."""

import json
from pathlib import Path

import pytest

from repo_tune_pipeline.prompting import encode_example
from repo_tune_pipeline.settings import TrainingSettings
from repo_tune_pipeline.training import prepare_training, starter_folder
from repo_tune_pipeline.training.ladder import Rung
from repo_tune_pipeline.training.memory import estimate_memory
from repo_tune_pipeline.training.recipe import lay, read_layers
from repo_tune_pipeline.training.shapes import KNOWN, read_shape
from repo_tune_pipeline_tests.training.support import (
    CONFIGS,
    ROOT,
    copy_configs,
    plan,
    start_worker,
    write_dataset,
)

WITHIN = 0.15
RESULTS = ROOT / "bench" / "results"
CASES = [
    ("starter", 4, False),
    ("llama", 16, True),
    ("llama", 16, False),
    ("gpt2", 4, False),
    ("gpt_bigcode", 4, False),
]


@pytest.fixture(scope="module")
def long_examples(tmp_path_factory) -> tuple[Path, int]:
    """A data set whose examples are as long as the starter reads, and the longest's tokens."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(starter_folder())
    folder = write_dataset(tmp_path_factory.mktemp("datasets") / "abcdef012345", 48)
    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()]

    def tokens(row: dict) -> int:
        encoded = encode_example(tokenizer, row["instruction"], row["input"], row["output"])
        return len(encoded.prompt) + len(encoded.answer)

    for row in rows:
        while tokens(row) < 980:
            row["output"] += "    value = value + 1\n"
    longest = max(tokens(row) for row in rows)
    (folder / "sft.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert longest <= 1024
    return folder, longest


def build(folder: Path, architecture: str) -> Path:
    """A model of some millions of parameters with the starter's tokenizer and vocabulary."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(starter_folder())
    shape = {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
    }
    if architecture.startswith("gpt"):
        shape = {"n_embd": 256, "n_layer": 6, "n_head": 4, "n_positions": 1024}
    config = AutoConfig.for_model(
        architecture,
        **shape,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "micro_batch", "checkpointing"), CASES)
def test_the_estimate_is_near_the_measured_peak(
    tmp_path, long_examples, architecture, micro_batch, checkpointing
):
    dataset, longest = long_examples
    base = starter_folder() if architecture == "starter" else build(tmp_path / "base", architecture)
    profile = {
        "micro_batch_size": micro_batch,
        "gradient_checkpointing": checkpointing,
        "max_steps": 2,
        "save_steps": 100,
    }
    configs = copy_configs(tmp_path / "configs", profile)
    peaks: list[int] = []
    for attempt in range(3):
        made = plan(tmp_path / f"home{attempt}", dataset, configs=configs, base_model=str(base))
        worker = start_worker(prepare_training(made))
        _, stderr = worker.communicate(timeout=300)
        assert worker.returncode == 0, stderr
        peaks.append(json.loads((made.adapter / "run.json").read_text())["peak_memory_bytes"])

        shape = read_shape(json.loads((base / "config.json").read_text()))
        rung = Rung(micro_batch, 1, checkpointing, longest)
        estimate = estimate_memory(shape, made.config, rung, on_gpu=False)
        # Runs of one training differ, and room is needed for the one that takes most.
        if estimate.total < max(peaks) * (1 + WITHIN):
            break
    assert abs(estimate.total / max(peaks) - 1) < WITHIN, (estimate.parts(), peaks)


@pytest.mark.parametrize("file", sorted(RESULTS.glob("h200-*.json")), ids=lambda file: file.stem)
def test_the_estimate_is_near_the_peaks_that_were_measured_on_a_gpu(file):
    measured = json.loads(file.read_text())
    config = lay(read_layers(CONFIGS, measured["profile"]), TrainingSettings())
    rung = Rung(measured["micro_batch"]["ours"], 1, True, measured["sequence_len"])
    estimate = estimate_memory(read_shape(KNOWN[measured["base_model"]]), config, rung, on_gpu=True)
    # PyTorch counts what it allocates itself, and not what the driver and the libraries do.
    counted = estimate.total - estimate.programs
    assert abs(counted / measured["peak_memory_bytes"]["ours"] - 1) < WITHIN, estimate.parts()


@pytest.mark.parametrize("name", KNOWN)
def test_the_packaged_figures_count_the_parameters_that_transformers_builds(name):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    figures = dict(KNOWN[name])
    shape = read_shape(figures)
    config = AutoConfig.for_model(figures.pop("model_type"), **figures)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert shape.parameters == pytest.approx(model.num_parameters(), rel=2e-3)


def test_an_adapter_is_counted_as_peft_makes_it(tmp_path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = build(tmp_path / "base", "qwen2")
    model = AutoModelForCausalLM.from_pretrained(folder)
    adapted = get_peft_model(model, LoraConfig(r=8, target_modules="all-linear"))
    shape = read_shape(json.loads((folder / "config.json").read_text()))
    assert adapted.get_nb_trainable_parameters()[0] == shape.adapter_parameters(8)


def test_more_is_never_said_to_take_less():
    shape = read_shape(KNOWN["Qwen/Qwen2-7B-Instruct"])
    config = {"load_in_4bit": True, "lora_r": 16, "optimizer": "paged_adamw_8bit"}
    rung = Rung(8, 1, False, 4096)
    while (lower := rung.down()) is not None:
        for on_gpu in (False, True):
            more = estimate_memory(shape, config, rung, on_gpu=on_gpu).total
            less = estimate_memory(shape, config, lower, on_gpu=on_gpu).total
            # On a GPU loading takes more than the smallest steps.
            assert less < more or (on_gpu and less == more), lower
        rung = lower
    eight = {**config, "load_in_4bit": False, "load_in_8bit": True}
    assert (
        estimate_memory(shape, eight, rung, on_gpu=True).weights
        > estimate_memory(shape, config, rung, on_gpu=True).weights
    )

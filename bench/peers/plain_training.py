"""The training loop that one would write by hand, with transformers, PEFT and bitsandbytes.

Usage: python bench/peers/plain_training.py PLAN_JSON MICRO_BATCH
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from repo_tune_pipeline.prompting import encode_example
from repo_tune_pipeline.training import TrainingPlan


def encoded(plan: TrainingPlan) -> list[tuple[list[int], list[int]]]:
    """Prompt and answer of each example that fits the sequence length."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(plan.base_model)
    pairs: list[tuple[list[int], list[int]]] = []
    for line in plan.data_file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        both = encode_example(tokenizer, row["instruction"], row["input"], row["output"])
        if len(both.prompt) + len(both.answer) <= int(plan.config["sequence_len"]):
            pairs.append((both.prompt, both.answer))
    return pairs


def train_plainly(plan: TrainingPlan, micro: int) -> dict[str, float]:
    """The loop that one would write by hand; gradient checkpointing as in the profile."""
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    config = plan.config
    on_gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if on_gpu else torch.float32
    quantized = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_compute_dtype=dtype, **config["bnb_config_kwargs"]
    )
    model: Any = AutoModelForCausalLM.from_pretrained(
        plan.base_model, dtype=dtype, quantization_config=quantized
    )
    checkpointing = bool(config.get("gradient_checkpointing"))
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=checkpointing)
    lora = LoraConfig(
        r=config["lora_r"],
        lora_alpha=config["lora_alpha"],
        lora_dropout=config["lora_dropout"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, lora)
    model.train()
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=float(config["learning_rate"]))
    examples = encoded(plan)
    torch.manual_seed(42)
    order = torch.randperm(len(examples)).tolist()
    parts, steps = int(config["gradient_accumulation_steps"]), int(config["max_steps"])
    first, at, tokens = 0.0, 0, 0
    for step in range(steps):
        for _ in range(parts):
            chosen = [examples[order[(at + n) % len(order)]] for n in range(micro)]
            at += micro
            tokens += sum(len(prompt) + len(answer) for prompt, answer in chosen) if step else 0
            batch = _padded(chosen, "cuda" if on_gpu else "cpu")
            (model(**batch).loss / parts).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if on_gpu:
            torch.cuda.synchronize()
        if step == 0:
            first = time.monotonic()
    seconds = time.monotonic() - first
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if on_gpu:
        peak = torch.cuda.max_memory_reserved()
    return {"tokens": tokens, "seconds": seconds, "peak_memory_bytes": peak}


def _padded(chosen: list[tuple[list[int], list[int]]], device: str) -> dict[str, Any]:
    import torch

    longest = max(len(prompt) + len(answer) for prompt, answer in chosen)
    rows: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for prompt, answer in chosen:
        room = longest - len(prompt) - len(answer)
        rows["input_ids"].append([*prompt, *answer, *[0] * room])
        rows["attention_mask"].append([1] * (longest - room) + [0] * room)
        rows["labels"].append([-100] * len(prompt) + answer + [-100] * room)
    return {name: torch.tensor(values, device=device) for name, values in rows.items()}


if __name__ == "__main__":
    asked = TrainingPlan.from_json(Path(sys.argv[1]).read_bytes())
    print(json.dumps(train_plainly(asked, int(sys.argv[2]))))

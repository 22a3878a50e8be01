# ruff: noqa: TID253
"""What the model in the trainer's memory makes of some examples, kept to be compared later.

The trainer's process imports this. A version is served from files, by other code, perhaps merged:
whether that is still the model that was trained, its own answers tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import torch

from repo_tune_pipeline.artifacts import write_json
from repo_tune_pipeline.prompting import encode_example

PROMPTS = 32
_MOST_TOKENS = 512


def write_answers(model: Any, tokenizer: Any, examples: Path, file: Path) -> None:
    """Write `{examples: [{instruction, input, output, nats, tokens}]}`.

    `nats` are -ln p(output | instruction, input), the end-of-turn token included.

    Args:
        model: with the adapter, as it was trained.
        tokenizer: the model's.
        examples: the trainer's data file; 32 of its lines are taken, by a hash.
        file: written whole or not at all.
    """
    was_training = model.training
    model.eval()
    told: list[dict[str, Any]] = []
    with torch.inference_mode():
        for row in _chosen(examples.read_bytes().splitlines()):
            encoded = encode_example(tokenizer, row["instruction"], row["input"], row["output"])
            if len(encoded.prompt) + len(encoded.answer) > _MOST_TOKENS:
                continue
            ids = torch.tensor([[*encoded.prompt, *encoded.answer]], device=model.device)
            kept = len(encoded.answer) + 1
            logits = model(input_ids=ids).logits[0, -kept:-1].float()
            losses = torch.nn.functional.cross_entropy(logits, ids[0, 1 - kept :], reduction="none")
            told.append({**row, "nats": float(losses.double().sum()), "tokens": kept - 1})
            if len(told) == PROMPTS:
                break
    model.train(was_training)
    write_json(file, {"examples": told})


def _chosen(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in sorted(set(lines), key=lambda line: hashlib.sha256(line).digest()):
        yield orjson.loads(line)

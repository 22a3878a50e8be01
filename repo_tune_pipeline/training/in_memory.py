# ruff: noqa: TID253
"""What the model in the trainer's memory makes of some examples, kept to be compared later.

The trainer's process imports this. A version is served from files, by other code, perhaps merged:
whether that is still the model that was trained, its own answers tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import torch

from repo_tune_pipeline.artifacts import write_json
from repo_tune_pipeline.prompting import encode_example, encode_prompt

PROMPTS = 32
_MOST_QUESTION, _MOST_ANSWER = 384, 128
"""Tokens of each part: of longer ones the beginning is asked about."""


def write_answers(model: Any, tokenizer: Any, examples: Path, file: Path) -> None:
    """Write `{examples: [{instruction, input, output, nats, tokens}]}`.

    `nats` are -ln p(output | instruction, input), the end-of-turn token included. The texts are
    those that were asked about: of a long example its beginning.

    Args:
        model: with the adapter, as it was trained.
        tokenizer: the model's.
        examples: the trainer's data file; 32 of its lines are taken, by a hash, or all of fewer.
        file: written whole or not at all.
    """
    was_training = model.training
    model.eval()
    told: list[dict[str, Any]] = []
    with torch.inference_mode():
        for row in _chosen(examples.read_bytes().splitlines()):
            asked = _beginning_of(row, tokenizer)
            encoded = encode_example(tokenizer, **asked)
            ids = torch.tensor([[*encoded.prompt, *encoded.answer]], device=model.device)
            kept = len(encoded.answer) + 1
            logits = model(input_ids=ids).logits[0, -kept:-1].float()
            losses = torch.nn.functional.cross_entropy(logits, ids[0, 1 - kept :], reduction="none")
            told.append({**asked, "nats": float(losses.double().sum()), "tokens": kept - 1})
    model.train(was_training)
    write_json(file, {"examples": told})


def _chosen(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    by_hash = sorted(set(lines), key=lambda line: hashlib.sha256(line).digest())
    return [orjson.loads(line) for line in by_hash[:PROMPTS]]


def _beginning_of(row: dict[str, Any], tokenizer: Any) -> dict[str, str]:
    """Its three texts, cut where they are long."""
    instruction = _cut(
        row["instruction"], _MOST_QUESTION, lambda text: len(encode_prompt(tokenizer, text))
    )
    return {
        "instruction": instruction,
        "input": _cut(
            row["input"],
            _MOST_QUESTION,
            lambda text: len(encode_prompt(tokenizer, instruction, text)),
        ),
        "output": _cut(
            row["output"],
            _MOST_ANSWER,
            lambda text: len(encode_example(tokenizer, "", "", text).answer),
        ),
    }


def _cut(text: str, most: int, tokens: Callable[[str], int]) -> str:
    """Cut as a text and not as tokens, which would have to be the same ones when read again."""
    while text and (have := tokens(text)) > most:
        text = text[: len(text) * most // have]
    return text

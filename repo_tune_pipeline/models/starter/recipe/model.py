# ruff: noqa: TID253
"""The starter's shape, and the loss that the trainer computes for it (a worker-only module)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

from repo_tune_pipeline.models.starter.recipe.tokenizer import CONTEXT, VOCABULARY
from repo_tune_pipeline.models.starter.recipe.tokens import Blocks

END_OF_TEXT_ID, END_OF_TURN_ID = 0, 2

_ROWS = 256
"""Rows of logits made at once: 8 MB in fp32, which stays in a core's cache."""


def new_model(vocabulary: int = VOCABULARY) -> Qwen2ForCausalLM:
    """3.15 million parameters, half of them the tied embeddings."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        initializer_range=0.02,
        bos_token_id=None,
        eos_token_id=END_OF_TURN_ID,
        pad_token_id=END_OF_TEXT_ID,
    )
    return Qwen2ForCausalLM(config)


class _LinearCrossEntropy(torch.autograd.Function):
    """Weighted cross entropy of a linear layer, its gradient made beside it, a few rows at once.

    So the logits (tokens × vocabulary) are never whole in memory; the idea is that of Liger
    Kernel's fused linear cross entropy (Hsu et al., 2024, arXiv 2410.10989).
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, weights: Tensor
    ) -> Tensor:
        d_hidden, d_weight = torch.empty_like(hidden), torch.zeros_like(weight)
        buffer = torch.empty(_ROWS, weight.shape[0])
        loss = torch.zeros(())
        for start in range(0, hidden.shape[0], _ROWS):
            rows, scale = hidden[start : start + _ROWS], weights[start : start + _ROWS, None]
            target = labels[start : start + _ROWS, None]
            logits = buffer[: rows.shape[0]]
            torch.mm(rows, weight.t(), out=logits)
            chosen, top = logits.gather(1, target), logits.amax(1, keepdim=True)
            total = logits.sub_(top).exp_().sum(1, keepdim=True)
            loss += ((total.log() + top - chosen) * scale).sum()
            logits.mul_(scale / total)
            logits.scatter_add_(1, target, -scale)
            torch.mm(logits, weight, out=d_hidden[start : start + _ROWS])
            d_weight.addmm_(logits.t(), rows)
        ctx.save_for_backward(d_hidden, d_weight)
        return loss

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        d_hidden, d_weight = ctx.saved_tensors
        return d_hidden * grad_outputs[0], d_weight * grad_outputs[0], None, None


def weighted_loss(
    model: Qwen2ForCausalLM, tokens: Tensor, weights: Tensor, normaliser: float
) -> Tensor:
    """Sum of weight x negative log-likelihood (nats) over `normaliser`.

    Args:
        tokens: ids, batch x (length + 1).
        weights: of each token as a target, the same shape; the first column isn't used.
    """
    hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
    labels, scale = tokens[:, 1:].reshape(-1), weights[:, 1:].reshape(-1) / normaliser
    flat = hidden.reshape(-1, hidden.shape[-1])
    head = model.get_input_embeddings().weight
    return _LinearCrossEntropy.apply(flat, head, labels, scale)


def bits_per_byte(model: Qwen2ForCausalLM, blocks: Blocks, limit: int | None = None) -> float:
    """Bits that the targets of weight 1 cost, over the bytes of their text.

    With `limit`, only that many rows are read, and bytes are counted as their share of tokens.
    """
    tokens = blocks.tokens[:limit].astype(np.int64)
    counted = (blocks.weights[:limit] == 1).astype(np.float32)
    whole = (blocks.weights[:, 1:] == 1).sum()
    nats = 0.0
    model.eval()
    with torch.no_grad():
        for row, weights in zip(tokens, counted, strict=True):
            batch = torch.from_numpy(row)[None], torch.from_numpy(weights)[None]
            nats += float(weighted_loss(model, *batch, 1.0))
    size = blocks.bytes * float(counted[:, 1:].sum()) / float(whole)
    return nats / math.log(2) / size

"""How large a causal model's parts are, from the figures of its config.json alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from repo_tune_pipeline.training.base_model import BaseModel

_JOINED = ("gpt2", "gpt_bigcode")
"""Query, key and value in one matrix, two matrices in the MLP, learned positions, tied logits."""
_GATED = ("llama", "mistral", "qwen2", "qwen3", "gemma")
"""Four matrices in the attention, three in the MLP, rotary positions."""

_QWEN2 = {"model_type": "qwen2", "max_position_embeddings": 32768}
KNOWN: Mapping[str, Mapping[str, Any]] = {
    "Qwen/Qwen2-7B-Instruct": {
        **_QWEN2,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_attention_heads": 28,
        "num_hidden_layers": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
    "Qwen/Qwen2-1.5B-Instruct": {
        **_QWEN2,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_attention_heads": 12,
        "num_hidden_layers": 28,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
    "Qwen/Qwen2-0.5B-Instruct": {
        **_QWEN2,
        "hidden_size": 896,
        "intermediate_size": 4864,
        "num_attention_heads": 14,
        "num_hidden_layers": 24,
        "num_key_value_heads": 2,
        "vocab_size": 151936,
        "tie_word_embeddings": True,
    },
    "microsoft/CodeGPT-small-py": {
        "model_type": "gpt2",
        "n_embd": 768,
        "n_head": 12,
        "n_layer": 12,
        "n_positions": 1024,
        "vocab_size": 50001,
    },
    "codellama/CodeLlama-7b-Instruct-hf": {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "max_position_embeddings": 16384,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "vocab_size": 32016,
        "tie_word_embeddings": False,
    },
    "WizardLM/WizardCoder-15B-V1.0": {
        "model_type": "gpt_bigcode",
        "n_embd": 6144,
        "n_head": 48,
        "n_inner": 24576,
        "n_layer": 40,
        "n_positions": 8192,
        "multi_query": True,
        "vocab_size": 49153,
    },
}
"""The deciding figures of these models' public config.json, so that a training can be planned
before anything is fetched. Once a model is on the machine, its own file is read instead."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """The sizes that decide what a training takes.

    `linears` are the (input, output) widths of one layer's matrices, all of which get an adapter
    with `lora_target_linear`.
    """

    kind: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head: int
    intermediate: int
    gated: bool
    vocabulary: int
    context: int
    tied: bool
    learned_positions: bool
    linears: tuple[tuple[int, int], ...]

    @property
    def quantized_parameters(self) -> int:
        """Parameters of all layers' matrices: what 4 or 8 bits are used for."""
        return self.layers * sum(reads * writes for reads, writes in self.linears)

    @property
    def whole_parameters(self) -> int:
        """Parameters that stay unquantized: embeddings, logits' matrix, positions, norms."""
        matrices = self.vocabulary * self.hidden * (1 if self.tied else 2)
        positions = self.context * self.hidden if self.learned_positions else 0
        return matrices + positions + (2 * self.layers + 1) * self.hidden

    @property
    def parameters(self) -> int:
        return self.quantized_parameters + self.whole_parameters

    def adapter_parameters(self, rank: int) -> int:
        """Of a LoRA adapter of this rank at every matrix: r (in + out) each (Hu et al. 2021)."""
        return self.layers * rank * sum(reads + writes for reads, writes in self.linears)


def known_shape(model: BaseModel | str) -> ModelShape | None:
    """The shape of a model on this machine, or of one whose figures are packaged; else None."""
    name = model if isinstance(model, str) else model.name
    if isinstance(model, BaseModel) and model.folder is not None:
        return read_shape(orjson.loads((model.folder / "config.json").read_bytes()))
    return read_shape(KNOWN[name]) if name in KNOWN else None


def read_shape(config: Mapping[str, Any]) -> ModelShape | None:
    """The shape that a config.json describes.

    None for an architecture that isn't counted here, and where a size is missing.
    """
    try:
        return _shape(config)
    except (KeyError, TypeError, ValueError):
        return None


def _shape(config: Mapping[str, Any]) -> ModelShape | None:
    kind = str(config.get("model_type"))
    if kind not in (*_JOINED, *_GATED) or config.get("num_local_experts"):
        return None
    joined = kind in _JOINED
    hidden = _number(config, "hidden_size", "n_embd")
    heads = _number(config, "num_attention_heads", "n_head")
    kv_heads = 1 if config.get("multi_query") else int(config.get("num_key_value_heads") or heads)
    head = int(config.get("head_dim") or hidden // heads)
    intermediate = int(config.get("intermediate_size") or config.get("n_inner") or 4 * hidden)
    if joined:
        attention = [(hidden, hidden + 2 * kv_heads * head), (hidden, hidden)]
    else:
        attention = [(hidden, heads * head), *[(hidden, kv_heads * head)] * 2]
        attention.append((heads * head, hidden))
    mlp = [(hidden, intermediate)] * (1 if joined else 2) + [(intermediate, hidden)]
    return ModelShape(
        kind=kind,
        layers=_number(config, "num_hidden_layers", "n_layer"),
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        intermediate=intermediate,
        gated=not joined,
        vocabulary=_number(config, "vocab_size"),
        context=_number(config, "max_position_embeddings", "n_positions", "n_ctx"),
        tied=bool(config.get("tie_word_embeddings", joined or kind == "gemma")),
        learned_positions=joined,
        linears=tuple(attention + mlp),
    )


def _number(config: Mapping[str, Any], *names: str) -> int:
    for name in names:
        if config.get(name):
            return int(config[name])
    raise KeyError(names[0])

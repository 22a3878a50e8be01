# ruff: noqa: TID253
"""Reading a base model, and an adapter over it, from this machine.

Imports torch, transformers and peft, as `local` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from repo_tune_pipeline.errors import BaseModelError, EvaluationError
from repo_tune_pipeline.models.local import LocalModel


def load_local_model(
    base: str | Path,
    adapter: Path | None = None,
    *,
    local_only: bool = True,
    quantization: Mapping[str, Any] | None = None,
) -> LocalModel:
    """Load a base model and, over it, a PEFT adapter.

    Weights are fp32 on a CPU, where 4-bit ones are slower to compute with, and bf16 on CUDA; with
    `quantization`, as a training had them.

    Args:
        base: a model folder or a hub id.
        adapter: a folder with `adapter_model.safetensors`, or None for the base alone.
        local_only: never ask the hub; a hub id then has to be in the local cache.
        quantization: arguments of bitsandbytes' configuration in transformers.

    Raises:
        BaseModelError: the base model isn't on this machine or can't be read.
        EvaluationError: the adapter can't be read or doesn't belong to this base model.
    """
    cuda = torch.cuda.is_available()
    dtype = torch.bfloat16 if cuda else torch.float32
    loaded: dict[str, Any] = {"dtype": dtype}
    if quantization:
        rounded: Any = BitsAndBytesConfig(bnb_4bit_compute_dtype=dtype, **quantization)
        loaded |= {"quantization_config": rounded, "device_map": {"": "cuda:0" if cuda else "cpu"}}
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(base), local_files_only=local_only)
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(base), local_files_only=local_only, **loaded
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseModelError(
            f"Base model {base} can't be loaded: {_first_line(error)}.",
            "Name a model folder, or a hub id that is in the local cache.",
        ) from None
    if adapter is not None:
        model = _with_adapter(model, adapter)
    if not quantization:
        model.to("cuda" if cuda else "cpu")
    model.eval()
    return LocalModel(model, tokenizer, adapted=adapter is not None)


def _with_adapter(model: Any, adapter: Path) -> Any:
    try:
        return PeftModel.from_pretrained(model, str(adapter))
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise EvaluationError(
            f"Adapter {adapter} can't be loaded over its base model: {_first_line(error)}.",
            "Train it again.",
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")

# ruff: noqa: TID253
"""An adapter merged into its base model's weights. Imports torch, transformers and peft."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def write_merged(adapter: Path, base: str, target: Path, dtype: Any) -> tuple[Any, Any]:
    """Merge W + (alpha / r) B A (LoRA, arXiv:2106.09685) into a base model's weights W.

    The base is never read in 4 bits here: what the adapter learned over rounded weights is added
    to the true ones, as it is where an adapter is served over an unquantized base.

    Args:
        adapter: a version's folder.
        base: a model folder, or a hub id in the local cache.
        target: where the model and its tokenizer are written.
        dtype: of the weights, as torch or transformers name it.

    Returns:
        The model and its tokenizer.
    """
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, local_files_only=True)
    adapted: Any = PeftModel.from_pretrained(model, str(adapter))
    merged: Any = adapted.merge_and_unload(safe_merge=True)
    merged.save_pretrained(target)
    tokenizer: Any = AutoTokenizer.from_pretrained(str(adapter))
    tokenizer.save_pretrained(target)
    return merged, tokenizer

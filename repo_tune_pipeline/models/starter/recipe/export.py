# ruff: noqa: TID253
"""From a checkpoint to a Hugging Face folder with its model card (a worker-only module)."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen2ForCausalLM

from repo_tune_pipeline.artifacts import new_folder, write_file
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.models.starter.recipe.card import Figures, Sample, model_card
from repo_tune_pipeline.models.starter.recipe.corpus import Document, manifest
from repo_tune_pipeline.models.starter.recipe.model import (
    END_OF_TEXT_ID,
    END_OF_TURN_ID,
    bits_per_byte,
    new_model,
)
from repo_tune_pipeline.models.starter.recipe.tokenizer import save_tokenizer
from repo_tune_pipeline.models.starter.recipe.tokens import load_blocks
from repo_tune_pipeline.prompting import encode_prompt

CONTINUED = (
    "import json\nfrom pathlib import Path\n\n\n"
    'def load_settings(path: Path) -> dict[str, str]:\n    """'
)
ASKED = (
    "Explain the following code from example/shop:",
    "def total_price(items, discount=0):\n"
    '    """Sum the prices of all items, less a discount."""\n'
    "    if discount < 0:\n"
    '        raise ValueError("negative discount")\n'
    "    return sum(item.price for item in items) - discount",
)
SAMPLE_TOKENS = 96


def export(work: Path, out: Path, documents: list[Document]) -> None:
    """Write the newest checkpoint of `work` to `out`: weights, tokenizer, manifest, card.

    Raises:
        StorageError: there is no checkpoint.
    """
    model, progress = _checkpoint(work)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "tokenizer")
    corpus = manifest(documents)
    with new_folder(out) as folder:
        _save_model(model, folder)
        save_tokenizer(Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json")), folder)
        write_file(folder / "corpus.json", json.dumps(corpus, separators=(",", ":")).encode())
        shipped = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32)
        figures = _figures(shipped, work, documents, progress)
        card = model_card(corpus, figures, _samples(shipped, tokenizer))
        write_file(folder / "README.md", card.encode())


def _checkpoint(work: Path) -> tuple[Qwen2ForCausalLM, dict[str, Any]]:
    path = work / "checkpoint.pt"
    if not path.is_file():
        raise StorageError(f"There is no {path}.", "Run the stage `train` first.")
    state = torch.load(path, weights_only=True)
    model = new_model(state["model"]["model.embed_tokens.weight"].shape[0])
    model.load_state_dict(state["model"])
    return model, state["progress"]


def _save_model(model: Qwen2ForCausalLM, folder: Path) -> None:
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=[END_OF_TURN_ID, END_OF_TEXT_ID], pad_token_id=END_OF_TEXT_ID
    )
    model.bfloat16().save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    # Half the bytes, but computed with in fp32: on a CPU that is faster, and as exact as it gets.
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    write_file(folder / "config.json", f"{json.dumps(config, indent=2, sort_keys=True)}\n".encode())


def _figures(
    model: Qwen2ForCausalLM, work: Path, documents: Iterable[Document], progress: dict[str, Any]
) -> Figures:
    heldout = "".join(each.text for each in documents if each.heldout).encode()
    examples = work / "heldout_examples.npz"
    return Figures(
        parameters=sum(each.numel() for each in model.parameters()),
        steps=progress["step"],
        minutes=progress["seconds"] / 60,
        plain_blocks=progress["plain"],
        example_blocks=progress["mixed"],
        plain_bits=bits_per_byte(model, load_blocks(work / "heldout.npz")),
        example_bits=bits_per_byte(model, load_blocks(examples)) if examples.is_file() else None,
        xz_bits=8 * len(lzma.compress(heldout, preset=9)) / max(1, len(heldout)),
        heldout_bytes=len(heldout),
    )


def _samples(model: Qwen2ForCausalLM, tokenizer: Any) -> tuple[Sample, Sample]:
    start = [END_OF_TEXT_ID, *tokenizer(CONTINUED, add_special_tokens=False).input_ids]
    asked = encode_prompt(tokenizer, *ASKED)
    return (
        Sample("Plain code, continued", CONTINUED, _continuation(model, tokenizer, start)),
        Sample("A question", "\n\n".join(ASKED), _continuation(model, tokenizer, asked)),
    )


def _continuation(model: Any, tokenizer: Any, prompt: list[int]) -> str:
    made = model.generate(torch.tensor([prompt]), max_new_tokens=SAMPLE_TOKENS)
    return str(tokenizer.decode(made[0, len(prompt) :], skip_special_tokens=True))

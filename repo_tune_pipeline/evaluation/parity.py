"""Served equals trained: the same prompts through the model as it was trained and as it is served.

Three comparisons of one adapter version. What the trainer's model answered in memory, before
anything was saved, against the saved version loaded again over a base that is rounded as it was
then. The saved version over the base as it is served, against the export in which both are merged:
by what each foretells, and by the words that each answers.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.records import ExampleMeta, SftExample
from repo_tune_pipeline.training import IN_MEMORY_FILE

TOLERANCE = {"float32": 0.01, "bfloat16": 0.05}
"""Nats per token that two computations of one model may lie apart, by the weights' precision; the
means over all prompts."""
_ANSWER_TOKENS = 32


@dataclass(frozen=True, slots=True)
class _Answers:
    """Nats per token of each reference, and the words of each answer."""

    nats: tuple[float, ...]
    texts: tuple[str, ...] = ()


def measure_parity(base: str, adapter: Path, work_dir: Path) -> dict[str, Any]:
    """`parity` of report.json.

    Args:
        base: the base model's folder or hub id.
        adapter: a version's folder, with what its trainer left.
        work_dir: where the merged model is put while it is compared.

    Returns:
        `{prompts, trained_to_reloaded, served_to_merged, tolerance, answers_alike, agree}`: mean
        distances in nats per token, how many of the prompts served and merged answer alike, and
        whether all of it is within the tolerance; `{}` where the trainer left nothing.
    """
    examples, trained = _in_memory(adapter)
    if not examples:
        return {}
    # One after the other: of a large base model memory holds only one.
    reloaded = _answers(base, adapter, examples, quantization=_quantization(adapter))
    work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="merged-", dir=work_dir) as merged:
        _merge(base, adapter, Path(merged))
        alone = _answers(merged, None, examples, words=True)
    served = _answers(base, adapter, examples, words=True)
    precision = "bfloat16" if _on_gpu() else "float32"
    tolerance = TOLERANCE[precision]
    apart = {
        "trained_to_reloaded": _distance(trained, reloaded.nats),
        "served_to_merged": _distance(served.nats, alone.nats),
    }
    alike = sum(map(str.__eq__, served.texts, alone.texts))
    same_words = alike == len(examples) or precision != "float32"
    return {
        "prompts": len(examples),
        **apart,
        "tolerance": tolerance,
        "answers_alike": alike,
        "agree": same_words and all(value <= tolerance for value in apart.values()),
    }


def _answers(
    base: str,
    adapter: Path | None,
    examples: Sequence[SftExample],
    *,
    quantization: Mapping[str, Any] | None = None,
    words: bool = False,
) -> _Answers:
    from repo_tune_pipeline.models.loading import load_local_model

    model = load_local_model(base, adapter, quantization=quantization)
    scores = model.score(examples)
    prompts = [Prompt(one.instruction, one.input) for one in examples] if words else []
    texts = [answer.text for answer in model.answer(prompts, max_tokens=_ANSWER_TOKENS)]
    del model
    gc.collect()
    return _Answers(tuple(score.nats / score.tokens for score in scores), tuple(texts))


def _merge(base: str, adapter: Path, target: Path) -> None:
    import torch

    from repo_tune_pipeline.models.merging import write_merged

    write_merged(adapter, base, target, torch.bfloat16 if _on_gpu() else torch.float32)
    gc.collect()


def _on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _distance(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


def _in_memory(adapter: Path) -> tuple[list[SftExample], tuple[float, ...]]:
    try:
        rows = cast("list[dict[str, Any]]", read_json(adapter / IN_MEMORY_FILE)["examples"])
    except StorageError:
        return [], ()
    examples = [
        SftExample(row["instruction"], row["input"], row["output"], _meta(at))
        for at, row in enumerate(rows)
    ]
    return examples, tuple(row["nats"] / row["tokens"] for row in rows)


def _meta(number: int) -> ExampleMeta:
    text = {"repo", "commit", "path", "symbol", "language", "license", "origin", "chunk_id"}
    return ExampleMeta(
        **dict.fromkeys(text, ""),
        id=str(number),
        task="code_completion",
        start_line=0,
        end_line=0,
    )


def _quantization(adapter: Path) -> dict[str, Any] | None:
    """How the recipe beside the version rounds the base's weights; None where it doesn't."""
    recipe = cast(
        "dict[str, Any]", yaml.safe_load((adapter / "axolotl.yaml").read_text(encoding="utf-8"))
    )
    if recipe.get("load_in_4bit"):
        return {"load_in_4bit": True, **(recipe.get("bnb_config_kwargs") or {})}
    return {"load_in_8bit": True} if recipe.get("load_in_8bit") else None

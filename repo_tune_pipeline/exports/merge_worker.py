"""`python -m repo_tune_pipeline.exports.merge_worker ADAPTER BASE TARGET PRECISION`.

Writes the merged model and its tokenizer; the last line of standard output says, as JSON, how a
question is put to it.
"""

# This module runs in a process of its own: heavy imports at its top are its purpose.
# ruff: noqa: TID253

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import torch

from repo_tune_pipeline.models.merging import write_merged
from repo_tune_pipeline.prompting import template_parts

_PRECISIONS: dict[str, Any] = {
    "base": "auto",
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def merge(adapter: Path, base: str, target: Path, precision: str) -> dict[str, Any]:
    """Write the merged model, and tell how a question is put to it."""
    merged, tokenizer = write_merged(adapter, base, target, _PRECISIONS[precision])
    head, middle, tail = template_parts(tokenizer)
    context = int(getattr(merged.config, "max_position_embeddings", 0) or 0)
    return {"head": head, "middle": middle, "tail": tail, "context": context}


def main() -> None:
    """Exit 0 with the template on standard output, or 1 with the reason on standard error."""
    adapter, base, target, precision = sys.argv[1:5]
    try:
        told = merge(Path(adapter), base, Path(target), precision)
    except Exception as error:
        text = " ".join(str(error).split())
        sys.stderr.write(f"\n{type(error).__name__}: {text[:300]}\n")
        sys.exit(1)
    sys.stdout.write("\n" + orjson.dumps(told).decode() + "\n")


if __name__ == "__main__":
    main()

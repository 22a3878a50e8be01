"""The model card: what the starter is, what it read, what it can do and can't."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.models.starter.recipe.tokenizer import CONTEXT, VOCABULARY


@dataclass(frozen=True, slots=True)
class Sample:
    """A greedy continuation, as it came."""

    title: str
    prompt: str
    made: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Bits are bits per byte of held-out text; blocks hold CONTEXT tokens."""

    parameters: int
    steps: int
    minutes: float
    plain_blocks: int
    example_blocks: int
    plain_bits: float
    example_bits: float | None
    xz_bits: float
    heldout_bytes: int


def model_card(corpus: dict[str, object], figures: Figures, samples: tuple[Sample, ...]) -> str:
    """Markdown, with the metadata that model hubs read at its top."""
    parts = [
        _HEADER,
        _architecture(figures),
        _training(figures),
        _heldout(figures),
        _corpus(corpus),
        "## Samples\n\nGreedy, unedited, cut after 96 tokens.\n",
        *(_sample(each) for each in samples),
        _LIMITS,
    ]
    return "\n".join(parts)


_HEADER = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags: [code]
---
# Starter

The base model that comes with `repo_tune_pipeline`: small enough to ship inside a package and to
be tuned on two CPU cores in minutes, so that the whole chain runs without a hub and without a GPU.
It is there to be adapted and measured. It is not a model to work with.

Made by `python -m repo_tune_pipeline.models.starter.recipe --out FOLDER --minutes N`.
"""

_LIMITS = """## Limits

- It has read very little, and it is tiny: what it writes looks like code and is seldom right.
- Explanations follow this package's own forms; their facts are often wrong.
- Python first. Other languages it has hardly seen, natural language only in docstrings and READMEs.
- No alignment or safety training of any kind. Text of its corpus may reappear.
- Its context is 1024 tokens, of one kilobyte to four.

## Licence

The weights and the tokenizer are under Apache-2.0. The corpus itself isn't part of this folder; its
distributions keep their own licences, named in `corpus.json`.
"""


def _architecture(figures: Figures) -> str:
    return f"""## Architecture

Qwen2: {figures.parameters / 1e6:.2f} million parameters, 4 layers, hidden size 192, 6 attention
heads with 2 key-value heads (GQA), MLP of 512, tied embeddings, context {CONTEXT}. Stored in bf16,
computed in fp32. Byte-level BPE of {VOCABULARY} tokens: digits are single, a line's end and the
next line's indentation are one token. ChatML template without a default system prompt.
"""


def _training(figures: Figures) -> str:
    plain, mixed = figures.plain_blocks * CONTEXT / 1e6, figures.example_blocks * CONTEXT / 1e6
    return f"""## Training

{plain + mixed:.1f} million tokens seen, in {figures.steps:,} steps and {figures.minutes:.0f}
minutes on {_machine()}: {plain:.1f} million of plain source and {mixed:.1f} million of examples in
this package's own formats, made from the same files by its own chunking and example stages (answers
count fully in the loss, prompts less). Muon for the hidden matrices, AdamW for the rest; warm-up,
constant, then a linear decay by the clock.
"""


def _heldout(figures: Figures) -> str:
    rows = [
        "## Held out",
        "",
        "1 % of the files, by a hash of their path, was never read. On all of it:",
        "",
        "| text | bits per byte |",
        "|---|---|",
        f"| plain source | {figures.plain_bits:.3f} |",
    ]
    if figures.example_bits is not None:
        rows.append(f"| answers of examples made from those files | {figures.example_bits:.3f} |")
    rows += [
        f"| for comparison: xz -9 on the {figures.heldout_bytes / 1e6:.1f} MB of that source "
        f"| {figures.xz_bits:.3f} |",
        "",
    ]
    return "\n".join(rows)


def _corpus(corpus: dict[str, object]) -> str:
    rows = cast(list[list[Any]], corpus["distributions"])
    languages = cast(dict[str, int], corpus["bytes_by_language"])
    licenses: dict[str, int] = {}
    for row in rows:
        licenses[row[2]] = licenses.get(row[2], 0) + row[4]
    total = sum(languages.values())
    return f"""## Corpus

{total / 1e6:.0f} MB in {sum(row[3] for row in rows):,} files of {len(rows)} distributions: the
standard library and what was installed beside it, if its metadata names a permissive licence.
Vendored, generated and data-like files and near-copies were left out, at most 9 MB taken from one
distribution. `corpus.json` names each with version, licence, files, bytes and digest; not all of
it was seen (see above). Projects that this package evaluates adapters on were left out.

| licence | MB |
|---|---|
{_table(licenses)}

| language | MB |
|---|---|
{_table(languages)}
"""


def _table(sizes: dict[str, int]) -> str:
    ranked = sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0]))
    return "\n".join(f"| {name} | {size / 1e6:.1f} |" for name, size in ranked)


def _sample(sample: Sample) -> str:
    return f"### {sample.title}\n\n````\n{sample.prompt}\n````\n→\n````\n{sample.made}\n````\n"


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores of {names[0] if names else platform.machine()}"

"""A dataset for people: a summary, then examples with their lines one under the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.sft.dataset import Dataset, count_examples


def readable(dataset: Dataset) -> dict[str, object]:
    """The content of `sft_readable.json`; a field of several lines is an array of them."""
    summary = {
        "all": count_examples([*dataset.train, *dataset.heldout]),
        **dataset.counts(),
        "repositories": dataset.repositories,
        "funnel": dataset.funnel.as_dict(),
    }
    examples = [*_entries(dataset.train, "train"), *_entries(dataset.heldout, "heldout")]
    return {"summary": summary, "examples": examples}


def _entries(examples: Sequence[SftExample], side: str) -> Iterator[dict[str, object]]:
    for example in examples:
        meta = example.meta
        yield {
            "task": meta.task,
            "side": side,
            "instruction": _shown(example.instruction),
            "input": _shown(example.input),
            "output": _shown(example.output),
            "from": f"{meta.repo} {meta.path}:{meta.start_line}-{meta.end_line}",
            "symbol": meta.symbol,
            "language": meta.language,
            "license": meta.license,
            "origin": meta.origin,
            "commit": meta.commit,
            "id": meta.id,
        }


def _shown(text: str) -> str | list[str]:
    return text.split("\n") if "\n" in text else text

"""How far a training is, read from the metrics that the trainer writes a line a step."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from repo_tune_pipeline.training.recipe import output_dir

METRICS_FILE = "metrics.jsonl"
STOPPED_FILE = "stopped.json"
IN_MEMORY_FILE = "in_memory.json"
"""What the model made of some examples when its training ended."""
BEGINS = "Training begins"
"""What the log says once the model is loaded and the data is ready."""
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Progress:
    """One step: loss in nats a token, tokens a second (the prompts' too), ETA in seconds."""

    step: int
    max_steps: int
    loss: float
    tokens_per_second: float
    eta_seconds: float

    def __str__(self) -> str:
        return (
            f"step {self.step}/{self.max_steps}, loss {self.loss:.3f}, "
            f"{self.tokens_per_second:,.0f} tokens/s, {self.eta_seconds:.0f} s left"
        )


def metrics_file(work_dir: Path) -> Path:
    """Where a training under way writes its metrics."""
    return output_dir(work_dir) / METRICS_FILE


def read_progress(work_dir: Path) -> Progress | None:
    """The newest step of a training under way, or None before its first; reads a few kilobytes."""
    try:
        with metrics_file(work_dir).open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            lines = stream.read().split(b"\n")[:-1]
        row = cast(dict[str, Any], orjson.loads(lines[-1]))
    except (OSError, IndexError, orjson.JSONDecodeError):
        return None
    return Progress(
        row["step"], row["max_steps"], row["loss"], row["tokens_per_second"], row["eta_seconds"]
    )


def read_metrics(file: Path) -> list[dict[str, Any]]:
    """All whole lines of a metrics file; none where there is no file."""
    try:
        lines = file.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []
    return [orjson.loads(line) for line in lines]

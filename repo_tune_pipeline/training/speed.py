"""How fast a training will be: as one of the same base model was here, else by its arithmetic.

A token costs 2 operations a parameter forwards and 2 backwards, since frozen weights need no
gradient of their own; gradient checkpointing goes forwards twice (Kaplan et al. 2020,
arXiv:2001.08361, table 1, less the weights' gradient).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import orjson

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.training.machine import MachineFacts
from repo_tune_pipeline.training.progress import read_metrics
from repo_tune_pipeline.training.shapes import ModelShape

CPU_CORE_RATE = 12e9
"""Operations a second and core: with 4 sequences of 994 tokens a step the starter's training read
about 1,900 tokens a second on two cores."""
GPU_SHARE = 0.3
"""Of a GPU's peak that a QLoRA training reaches: with a 7B Qwen2 on an H200 it was 0.20 with packed
rows of 2,048 tokens a micro-batch, and 0.40 with 8,192."""
PEAKS = ((10.0, 2250e12), (9.0, 989e12), (8.9, 121e12), (8.6, 71e12), (8.0, 312e12), (7.0, 65e12))
"""Dense 16-bit operations a second by compute capability, of a card of each: B200, H100, L4, RTX
3090, A100, T4 (NVIDIA's data sheets). Another card of that capability may be twice as fast."""
OLD_PEAK = 15e12


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, and where the figure comes from."""

    tokens_per_second: float
    source: str


def measured_speed(home: Home, base_digest: str, profile: str, processes: int = 1) -> Speed | None:
    """The median of the newest adapter under `home` of this base model and profile, if any, that as
    many processes trained.
    """
    for run_file in sorted(_runs(home), key=lambda file: -file.stat().st_mtime):
        run = orjson.loads(run_file.read_bytes())
        found = (run.get("base_digest"), run.get("profile"), run.get("processes", 1))
        if found == (base_digest, profile, processes):
            rows = read_metrics(run_file.with_name("metrics.jsonl"))
            rates = [row["tokens_per_second"] for row in rows if row["tokens_per_second"] > 0]
            if rates:
                source = f"as version {run['version']} of {run['variant']} was trained here"
                return Speed(median(rates), source)
    return None


def assumed_speed(
    shape: ModelShape, facts: MachineFacts, processes: int = 1, *, checkpointing: bool
) -> Speed:
    """By arithmetic: on so many GPUs such as the machine's largest, or on its cores."""
    gpu = max(facts.gpus, key=lambda gpu: gpu.memory_bytes, default=None)
    if gpu is None:
        rate = facts.cpu_count * CPU_CORE_RATE
        return _by_rate(shape, rate, f"assuming {rate / 1e9:.0f} GFLOP/s", checkpointing)
    name, peak = gpu.name, _peak(gpu.capability or 0.0)
    return gpu_speed(shape, name, peak, processes, checkpointing=checkpointing)


def gpu_speed(
    shape: ModelShape, name: str, peak: float, gpus: int = 1, *, checkpointing: bool
) -> Speed:
    """On GPUs whose peak is `peak` operations a second each; talk between them is left out."""
    many = f"{gpus} x " if gpus > 1 else ""
    source = f"assuming {GPU_SHARE:.0%} of {many}{peak / 1e12:.0f} TFLOP/s ({name})"
    return _by_rate(shape, gpus * peak * GPU_SHARE, source, checkpointing)


def _by_rate(shape: ModelShape, rate: float, source: str, checkpointing: bool) -> Speed:
    # Embeddings are looked up; the logits' matrix is multiplied with.
    multiplied = shape.quantized_parameters + shape.vocabulary * shape.hidden
    return Speed(rate / (multiplied * (6 if checkpointing else 4)), source)


def _peak(capability: float) -> float:
    return next((peak for least, peak in PEAKS if capability >= least), OLD_PEAK)


def _runs(home: Home) -> list[Path]:
    return list((home.root / "adapters").glob("*/*/run.json"))

"""Out of memory is an event: which settings a training goes on with that take less of it.

First the micro-batch is halved and accumulation raised, so that a step still learns from as many
examples; then gradient checkpointing, which computes activations twice instead of keeping them
(Chen et al. 2016, arXiv:1604.06174); then shorter sequences, which lose the longest examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from repo_tune_pipeline.artifacts import digest_json, read_json, write_json
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.training.machine import MachineFacts

SHORTEST_SEQUENCE = 256
"""Tokens; few examples of code fit less."""
_TAKES_MEMORY = (
    "adapter",
    "load_in_4bit",
    "load_in_8bit",
    "lora_r",
    "lora_target_linear",
    "lora_target_modules",
    "optimizer",
    "bf16",
    "fp16",
    "sample_packing",
    "liger_fused_linear_cross_entropy",
    "attn_implementation",
    "deepspeed",
    "fsdp_config",
)


@dataclass(frozen=True, slots=True)
class Rung:
    """The settings that decide how much memory a step takes, under Axolotl's names."""

    micro_batch_size: int
    gradient_accumulation_steps: int
    gradient_checkpointing: bool
    sequence_len: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Rung:
        """What an Axolotl configuration says, with Axolotl's defaults for what it doesn't."""
        return cls(
            int(config.get("micro_batch_size") or 1),
            int(config.get("gradient_accumulation_steps") or 1),
            bool(config.get("gradient_checkpointing")),
            int(config.get("sequence_len") or 512),
        )

    @property
    def batch(self) -> int:
        """Examples that one optimizer step learns from, on one device."""
        return self.micro_batch_size * self.gradient_accumulation_steps

    def down(self) -> Rung | None:
        """The next settings to try, or None where nothing is left to give up."""
        if self.micro_batch_size > 1:
            half = self.micro_batch_size // 2
            fits = next(size for size in range(half, 0, -1) if self.batch % size == 0)
            return replace(
                self, micro_batch_size=fits, gradient_accumulation_steps=self.batch // fits
            )
        if not self.gradient_checkpointing:
            return replace(self, gradient_checkpointing=True)
        if self.sequence_len > SHORTEST_SEQUENCE:
            return replace(self, sequence_len=max(self.sequence_len // 2, SHORTEST_SEQUENCE))
        return None

    def applied(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration with these settings; what it says in other words stays."""
        if self == Rung.of(config):
            return dict(config)
        return {**config, **asdict(self)}

    def __str__(self) -> str:
        checkpointing = "with" if self.gradient_checkpointing else "without"
        return (
            f"micro-batch {self.micro_batch_size} x accumulation "
            f"{self.gradient_accumulation_steps}, sequences of {self.sequence_len} tokens, "
            f"{checkpointing} gradient checkpointing"
        )


def ladder_kind(
    base_digest: str,
    config: Mapping[str, Any],
    processes: int,
    memory_gib: float,
    facts: MachineFacts,
) -> list[Any]:
    """What else decides which settings fit: the base model, other settings, and the machine."""
    device = [[gpu.name, gpu.memory_bytes] for gpu in facts.gpus] or facts.memory_bytes
    taking = {key: config.get(key) for key in _TAKES_MEMORY}
    return [base_digest, taking, device, processes, memory_gib]


class Ladder:
    """The rung that a training stands on, and where that is remembered.

    Remembered for a base model, the settings that take memory, and a machine: the next training of
    the kind begins where this one ended.
    """

    def __init__(self, folder: Path, planned: Rung, kind: object) -> None:
        self.planned = planned
        self.file = folder / f"{digest_json([asdict(planned), kind])[:16]}.json"
        self.rung = self._remembered() or planned

    def down(self) -> Rung | None:
        """Step to the next rung and remember it; None where there is none.

        Raises:
            StorageError: it can't be written down.
        """
        lower = self.rung.down()
        if lower is not None:
            self.rung = lower
            write_json(self.file, {"planned": asdict(self.planned), "fits": asdict(lower)})
        return lower

    def _remembered(self) -> Rung | None:
        if not self.file.is_file():
            return None
        try:
            fits = cast(dict[str, Any], read_json(self.file)["fits"])
            return Rung(**fits)
        except (StorageError, KeyError, TypeError):
            return None  # damaged: it is found out anew

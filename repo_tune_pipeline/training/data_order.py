"""The order in which a training reads its examples: drawn from its seed and the epoch alone.

Used inside the trainer's process.
"""

# ruff: noqa: TID253

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler

POOL = 50
"""Batches that are sorted by length together: as many as transformers takes for the same end. More
would leave less to chance in what stands in a batch together."""


class EpochOrder(Sampler[int]):
    """Every example once an epoch; a training that goes on in any epoch reads what it would have.

    With `lengths`, in tokens, the examples of a batch are of like length, the longest first, so
    that little of it is padding, however it is cut into micro-batches. The longest batch comes
    first: what doesn't fit in memory shows at once.
    """

    def __init__(
        self, size: int, seed: int, *, batch: int = 1, lengths: Sequence[int] | None = None
    ) -> None:
        self._size = size
        self._seed = seed
        self._batch = batch
        self._lengths = lengths
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Accelerate calls it as an epoch begins, also one that is gone on with."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        chance = torch.Generator().manual_seed(self._seed + self._epoch)
        order: list[int] = torch.randperm(self._size, generator=chance).tolist()
        if self._lengths is None:
            return iter(order)
        return iter(self._grouped(order, self._lengths, chance))

    def _grouped(
        self, order: list[int], lengths: Sequence[int], chance: torch.Generator
    ) -> list[int]:
        size, pool = self._batch, self._batch * POOL
        whole: list[list[int]] = []
        rest: list[int] = []
        for at in range(0, len(order), pool):
            ranked = sorted(order[at : at + pool], key=lengths.__getitem__, reverse=True)
            kept = len(ranked) - len(ranked) % size
            whole += [ranked[n : n + size] for n in range(0, kept, size)]
            rest = ranked[kept:]
        mixed = [whole[n] for n in torch.randperm(len(whole), generator=chance).tolist()]
        if mixed:
            tops = [lengths[batch[0]] for batch in mixed]
            mixed.insert(0, mixed.pop(tops.index(max(tops))))
        # An incomplete batch is the last one, or all after it would be cut elsewhere.
        return [number for batch in mixed for number in batch] + rest


def _examples_a_step(args: Any) -> int:
    """Of an optimizer step: no other number stays when memory runs out, or with more processes."""
    micro, parts = args.per_device_train_batch_size, args.gradient_accumulation_steps
    return int(micro) * int(parts) * int(args.world_size)


def set_order(trainer: Any, cfg: Any) -> None:
    """Give the trainer this order where it packs examples or groups them by length.

    Else accelerate draws it from the seed and the epoch already. Axolotl's own sampler for packed
    rows, and transformers' for grouped ones, draw from a generator that a checkpoint doesn't hold.
    """
    if not (cfg.sample_packing or cfg.group_by_length):
        return
    sampler_of = trainer._get_train_sampler
    seed = 42 if cfg.seed is None else int(cfg.seed)

    def sampler(dataset: Any = None) -> Any:
        data = trainer.train_dataset if dataset is None else dataset
        if not cfg.sample_packing:
            lengths = [len(ids) for ids in data["input_ids"]]
            batch = _examples_a_step(trainer.args)
            return EpochOrder(len(data), seed, batch=batch, lengths=lengths)
        packing = sampler_of(dataset)
        packing.sampler = EpochOrder(len(data), seed)
        packing.set_epoch(0)
        return packing

    trainer._get_train_sampler = sampler

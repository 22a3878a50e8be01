# ruff: noqa: TID253
"""The trainer (a worker-only module): Muon and AdamW on a schedule that follows the clock."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2ForCausalLM

from repo_tune_pipeline.models.starter.recipe.model import bits_per_byte, new_model, weighted_loss
from repo_tune_pipeline.models.starter.recipe.tokenizer import CONTEXT
from repo_tune_pipeline.models.starter.recipe.tokens import Blocks, load_blocks

MIXED_FROM = 0.55
"""Share of the time after which half of the blocks are examples, and rows have full length."""
DECAY_FROM = 0.45
WARM_UP_STEPS = 60
BLOCKS_A_STEP = (4, 8)
"""Before and after MIXED_FROM: small steps learn fast at first, larger ones are less noisy."""
MUON_RATE, ADAM_RATE = 0.02, 3e-3
CHECKPOINT_SECONDS = 240.0


@dataclass(slots=True)
class Progress:
    """What a checkpoint remembers beside weights and optimizers."""

    step: int = 0
    seconds: float = 0.0
    plain: int = 0
    mixed: int = 0

    @property
    def tokens(self) -> int:
        return (self.plain + self.mixed) * CONTEXT


class Trainer:
    """One training run over the arrays in `work`; a checkpoint found there is gone on with."""

    def __init__(self, work: Path, minutes: float, threads: int = 2) -> None:
        self._work = work
        self._budget = minutes * 60
        self._threads = threads
        self._progress = Progress()

    def run(self, log: Callable[[str], None]) -> Qwen2ForCausalLM:
        """Train until the time is over; leaves `checkpoint.pt` in the work folder."""
        torch.set_flush_denormal(True)
        # Two OpenMP threads wait for each other in every small operation: on a busy machine that
        # costs more than the work. Parallel are whole batches and optimizers, in threads.
        torch.set_num_threads(1)
        plain = load_blocks(self._work / "plain.npz")
        self._start(log)
        order = np.random.default_rng(0).permutation(len(plain.tokens))
        mixed: Blocks | None = None
        began, saved = time.monotonic() - self._progress.seconds, time.monotonic()
        while (share := self._progress.seconds / self._budget) < 1:
            mixing = share >= MIXED_FROM
            if mixing and mixed is None:
                mixed = self._examples()
            loss = self._step(self._draw(plain, order, mixed, BLOCKS_A_STEP[mixing]), mixing, share)
            self._progress.seconds = time.monotonic() - began
            if self._progress.step % 20 == 0:
                log(self._line(loss, share))
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._checkpoint(log)
                saved = time.monotonic()
        self._checkpoint(log)
        return self._model

    def _start(self, log: Callable[[str], None]) -> None:
        self._model = new_model()
        for name, parameter in self._model.named_parameters():
            # Blocks that begin as the identity, as is usual with Muon.
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                torch.nn.init.zeros_(parameter)
        hidden = [p for n, p in self._model.named_parameters() if _is_hidden(n, p)]
        others = [p for n, p in self._model.named_parameters() if not _is_hidden(n, p)]
        self._optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(hidden[::2], lr=MUON_RATE, weight_decay=0.02, momentum=0.95),
            torch.optim.Muon(hidden[1::2], lr=MUON_RATE, weight_decay=0.02, momentum=0.95),
            torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0),
        ]
        self._rates = [MUON_RATE, MUON_RATE, ADAM_RATE]
        checkpoint = self._work / "checkpoint.pt"
        if checkpoint.is_file():
            state = torch.load(checkpoint, weights_only=True)
            self._model.load_state_dict(state["model"])
            for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self._progress = Progress(**state["progress"])
            log(f"goes on from step {self._progress.step}")
        self._workers = _Workers(self._model, self._threads)

    def _examples(self) -> Blocks | None:
        path = self._work / "examples.npz"
        return load_blocks(path) if path.is_file() else None

    def _draw(
        self, plain: Blocks, order: Any, mixed: Blocks | None, count: int
    ) -> list[tuple[Tensor, Tensor]]:
        drawn: list[tuple[Tensor, Tensor]] = []
        for position in range(count):
            if mixed is not None and position % 2:
                blocks, row = mixed, self._progress.mixed % len(mixed.tokens)
                self._progress.mixed += 1
            else:
                blocks, row = plain, int(order[self._progress.plain % len(order)])
                self._progress.plain += 1
            tokens = torch.from_numpy(blocks.tokens[row].astype(np.int64))
            drawn.append((tokens, torch.from_numpy(blocks.weights[row].astype(np.float32))))
        return drawn

    def _step(self, drawn: list[tuple[Tensor, Tensor]], whole: bool, share: float) -> float:
        total = float(sum(weights[1:].sum() for _, weights in drawn))
        rows = 1 if whole else 2
        batches = [(_rows(t, rows), _rows(w, rows), total) for t, w in drawn]
        loss = self._workers.gradients(batches)
        others = self._optimizers[-1].param_groups[0]["params"]
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        factor = _factor(self._progress.step, share)
        for optimizer, rate in zip(self._optimizers, self._rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        self._workers.update(self._optimizers)
        self._progress.step += 1
        return loss

    def _line(self, loss: float, share: float) -> str:
        seconds = max(self._progress.seconds, 1e-9)
        return (
            f"step {self._progress.step} {100 * share:.1f} % loss {loss:.3f} "
            f"tokens {self._progress.tokens} tokens/s {self._progress.tokens / seconds:.0f} "
            f"rate {_factor(self._progress.step, share):.3f} seconds {seconds:.0f}"
        )

    def _checkpoint(self, log: Callable[[str], None]) -> None:
        state = {
            "model": self._model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "progress": {
                name: getattr(self._progress, name)
                for name in ("step", "seconds", "plain", "mixed")
            },
        }
        temporary = self._work / ".checkpoint.pt"
        torch.save(state, temporary)
        temporary.replace(self._work / "checkpoint.pt")
        for name in ("heldout", "heldout_examples"):
            path = self._work / f"{name}.npz"
            if path.is_file():
                value = bits_per_byte(self._model, load_blocks(path), limit=16)
                log(f"step {self._progress.step} {name}: {value:.4f} bits per byte (sample)")


class _Workers:
    """Threads that each take the next batch, so that a busy core holds nobody up.

    Each has a copy of the model that shares the parameters and keeps its own gradients.
    """

    def __init__(self, model: Qwen2ForCausalLM, threads: int) -> None:
        self._parameters = list(model.parameters())
        self._free: SimpleQueue[Qwen2ForCausalLM] = SimpleQueue()
        self._copies: list[Qwen2ForCausalLM] = []
        for _ in range(threads):
            twin = copy.deepcopy(model)
            for mine, shared in zip(twin.parameters(), self._parameters, strict=True):
                mine.data = shared.data
            self._copies.append(twin)
            self._free.put(twin)
        # The number of OpenMP threads is a property of the thread that asks.
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def gradients(self, batches: Sequence[tuple[Tensor, Tensor, float]]) -> float:
        """Set `grad` of the model's parameters to the gradient of all batches' summed loss."""
        for twin in self._copies:
            twin.zero_grad(set_to_none=True)
        loss = sum(self._pool.map(self._one, batches))
        columns = zip(*(twin.parameters() for twin in self._copies), strict=True)
        for parameter, twins in zip(self._parameters, columns, strict=True):
            kept = [twin.grad for twin in twins if twin.grad is not None]
            parameter.grad = torch.stack(kept).sum(0) if len(kept) > 1 else kept[0]
        return loss

    def update(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """One step of every optimizer, side by side."""
        list(self._pool.map(_advance, optimizers))

    def _one(self, batch: tuple[Tensor, Tensor, float]) -> float:
        twin = self._free.get()
        try:
            loss = weighted_loss(twin, *batch)
            loss.backward()
            return float(loss.detach())
        finally:
            self._free.put(twin)


def _rows(values: Tensor, count: int) -> Tensor:
    """`count` rows of a block, each with the token before it."""
    length = CONTEXT // count
    return values.unfold(0, length + 1, length).contiguous()


def _factor(step: int, share: float) -> float:
    """Warm-up, then constant, then linearly to nothing at the end of the time."""
    decay = min(1.0, (1 - share) / (1 - DECAY_FROM))
    return min((step + 1) / WARM_UP_STEPS, 1.0) * max(decay, 0.0)


def _is_hidden(name: str, parameter: Tensor) -> bool:
    return parameter.ndim == 2 and "embed" not in name


def _advance(optimizer: torch.optim.Optimizer) -> None:
    optimizer.step()

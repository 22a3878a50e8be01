"""The base model and the adapter over it, ready to be asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repo_tune_pipeline.models.local import LocalModel

_SMALL_BYTES = 1 << 30


@dataclass(frozen=True)
class Pair:
    """Both models: over one set of weights or, `apart`, each with its own, to be asked at once."""

    base: LocalModel
    adapted: LocalModel
    apart: bool


def load_pair(base: str, adapter: Path) -> Pair:
    """Load both.

    A small model keeps no two cores busy, since most of its operations are short. So on a CPU each
    of the two then gets weights of its own and half of the cores; the adapter is merged into its
    own, which spares LoRA's further operations, and is compared with the adapter as it is served
    (`parity`).

    Raises:
        BaseModelError: the base model can't be loaded.
        EvaluationError: the adapter can't be loaded over it.
    """
    from repo_tune_pipeline.models.loading import load_local_model

    adapted = load_local_model(base, adapter)
    cores = len(os.sched_getaffinity(0))
    if adapted.device != "cpu" or adapted.weight_bytes > _SMALL_BYTES or cores < 2:
        return Pair(adapted.without_adapter(), adapted, apart=False)
    return Pair(load_local_model(base), adapted.merged(), apart=True)


def share_cores() -> None:
    """Let the operations of this thread run on half of the cores."""
    import torch

    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // 2))

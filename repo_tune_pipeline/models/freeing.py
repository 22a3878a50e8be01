"""The memory of models that were let go, given back to the machine."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress


def give_memory_back() -> None:
    """Collect what nobody refers to any longer, and hand the GPU's part of it to other processes.

    To be called in the thread that used the models.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        # Without it this process keeps what it freed for models of its own to come. A device that
        # failed refuses this too: the next question is told why.
        with suppress(RuntimeError):
            torch.cuda.empty_cache()

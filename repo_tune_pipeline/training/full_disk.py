"""Whether a trainer ended because the disk was full."""

from __future__ import annotations

import shutil
from pathlib import Path

from repo_tune_pipeline.training.out_of_memory import last_bytes

_SAID = b"No space left on device"
_NOTHING_FREE = 4 * 1024**2
"""Bytes: less than a write that fails leaves free where it was of a checkpoint."""


def ended_by_full_disk(log: Path, since: int) -> bool:
    """Whether a process that failed had no room to write.

    PyTorch's writer doesn't say why it failed, and the log lies on the same disk, so that what is
    free counts as well.

    Args:
        log: what it said.
        since: the byte at which its own part of the log begins.
    """
    if shutil.disk_usage(log.parent).free < _NOTHING_FREE:
        return True
    return _SAID in last_bytes(log, since)

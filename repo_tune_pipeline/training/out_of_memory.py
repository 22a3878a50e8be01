"""Whether a trainer ended because memory did, and how much of it a trainer may take."""

from __future__ import annotations

import re
import resource
import signal
from pathlib import Path

_SAID = re.compile(
    rb"CUDA out of memory|CUDA error: out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED"
    rb"|DefaultCPUAllocator: (?:can't allocate|not enough) memory|std::bad_alloc|\bMemoryError\b"
    rb"|Cannot allocate memory"
)
_LAST_BYTES = 64 * 1024
_GIB = 1024**3


def limit_memory(gib: float) -> None:
    """Let this process take no more main memory than this; 0 lets it.

    What counts is what it may write to and shares with nobody (setrlimit(2), RLIMIT_DATA): not
    the libraries, nor addresses that a GPU's driver reserves.
    """
    if gib:
        most = int(gib * _GIB)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def kernel_kills() -> int:
    """How many processes the kernel has ended for want of memory since it started."""
    try:
        text = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def ended_by_memory(code: int, log: Path, since: int, kills_before: int) -> bool:
    """Whether a process that ended with `code` (negative: by that signal) had too little memory.

    Args:
        code: its exit status.
        log: what it said.
        since: the byte at which its own part of the log begins.
        kills_before: `kernel_kills` when it was started.
    """
    if code == -signal.SIGKILL:
        return kernel_kills() > kills_before
    return _SAID.search(last_bytes(log, since)) is not None


def last_bytes(log: Path, since: int) -> bytes:
    """The last 64 KiB of a log, and nothing from before the byte `since`."""
    with log.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(since, stream.tell() - _LAST_BYTES))
        return stream.read()

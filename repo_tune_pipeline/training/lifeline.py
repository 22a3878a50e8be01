"""No trainer outlives the process that started it, however that ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 5.0
_LIBC = ctypes.CDLL(None)


def end_with_parent(parent: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Let Linux send this process `by` when `parent`, its parent, ends; elsewhere do nothing.

    See prctl(2), PR_SET_PDEATHSIG. A parent that ended before the call is noticed too.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:
            os._exit(1)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own group, asked first, then killed; and all in the group.

    A leader that has ended already may have left helpers behind: they are killed.
    """
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

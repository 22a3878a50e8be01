"""The one device of a home, which one training or evaluation has at a time.

Dagster's pool keeps queued runs apart; what starts outside its queue, as the commands and the
stages within a refresh do, meets the others here.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from repo_tune_pipeline.artifacts import Home

WAITS = "Waits for the device: another training or evaluation of this home has it."
_POLL_SECONDS = 0.5


@contextmanager
def held_device(
    home: Home, say: Callable[[str], None], every_poll: Callable[[], None] = lambda: None
) -> Generator[None]:
    """Have the device; the kernel gives it up however this process ends.

    Args:
        home: whose device.
        say: told once, where it has to be waited for.
        every_poll: called while it is waited for; what it raises ends the waiting.
    """
    with (home.root / "device.lock").open("wb") as stream:
        told = False
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    say(WAITS)
                    told = True
                every_poll()
                time.sleep(_POLL_SECONDS)
        yield

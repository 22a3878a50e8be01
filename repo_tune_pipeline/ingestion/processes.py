"""A running git: its pipes, its deadline and its last words."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO

_STDERR_KEPT = 4096


class GitFailure(Exception):
    """A git process ended badly; `message` is its own last words, safe to print."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        self.message = message
        self.timed_out = timed_out
        super().__init__(message)


class Deadline:
    """A point in time that several git processes of one ingestion share."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        return max(self._end - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end


class GitProcess:
    """A running git: read `stdout`, feed `stdin` if there is one, then `finish`."""

    def __init__(self, popen: subprocess.Popen[bytes], deadline: Deadline) -> None:
        self._popen = popen
        self._deadline = deadline
        self._expired = False
        self._stderr = bytearray()
        self._drain = threading.Thread(target=self._keep_stderr, daemon=True)
        self._feeder: threading.Thread | None = None
        self._timer = threading.Timer(deadline.remaining, self._expire)
        self._timer.daemon = True
        self._drain.start()
        self._timer.start()

    @property
    def stdout(self) -> IO[bytes]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    def feed(self, lines: bytes) -> None:
        """Write to its standard input, which ends there, while somebody reads what it says."""
        self._feeder = threading.Thread(target=self._write, args=(lines,), daemon=True)
        self._feeder.start()

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            GitFailure: it exited with another code than 0, or was killed at the deadline.
        """
        code = self._popen.wait()
        self._drain.join(timeout=5)
        if self._expired or code == -signal.SIGXCPU:
            raise GitFailure(
                f"there was no end within {self._deadline.seconds:g} seconds", timed_out=True
            )
        if code:
            raise GitFailure(_last_words(bytes(self._stderr)) or f"git ended with code {code}")

    def close(self) -> None:
        """End the whole process group if it still runs, and let go of the pipes."""
        self._timer.cancel()
        if self._popen.poll() is None:
            self._kill()
        if self._feeder is not None:
            self._feeder.join(timeout=5)
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._popen.wait()
        self._drain.join(timeout=5)

    def _keep_stderr(self) -> None:
        assert self._popen.stderr is not None
        with self._popen.stderr as stream:
            while part := stream.read1(65536):  # pyright: ignore[reportAttributeAccessIssue]
                self._stderr += part
                del self._stderr[:-_STDERR_KEPT]

    def _write(self, lines: bytes) -> None:
        assert self._popen.stdin is not None
        # The reader sees a process that ended early at its own end of the pipes.
        with suppress(OSError, ValueError), self._popen.stdin as stream:
            stream.write(lines)

    def _expire(self) -> None:
        self._expired = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)


def printable(text: str) -> str:
    """`text` in one line, with control and terminal-steering characters escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _last_words(stderr: bytes) -> str:
    """The lines with which git says why it gave up, without its prefixes."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    fatal = [line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")]
    said = fatal or [line.removeprefix("error: ") for line in lines if line]
    return printable("; ".join(said[:2]))[:400].rstrip(".")

"""The side that asks for workers: one fork server for this process, started when it is needed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from repo_tune_pipeline.pool.forkserver import End, Request, Start, send

_SERVER = "repo_tune_pipeline.pool.forkserver"
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONHASHSEED", "LD_LIBRARY_PATH")


@dataclass
class Running:
    """A worker and this side's ends of its pipes."""

    stdin: IO[bytes]
    stdout: IO[bytes]
    _pid: int
    _server: _Server
    _status: int | None = field(default=None)

    def end(self) -> int:
        """End it if it still runs; the status that it ended with, as `os.waitpid` gives it."""
        if self._status is None:
            try:
                self._status = self._server.ask(End(self._pid))
            except OSError:
                self._status = signal.SIGKILL  # its server is gone, and no one else can tell
        return self._status


def start_worker(function: Callable[..., Any], seconds: float, memory_mib: int) -> Running:
    """Start a worker that serves a function at a module's top level.

    Raises:
        OSError: no process can be started.
    """
    start = Start(function.__module__, function.__qualname__, seconds, memory_mib)
    arguments, to_worker = os.pipe()
    from_worker, answers = os.pipe()
    try:
        server, pid = _asked(start, (arguments, answers))
    except BaseException:
        os.close(to_worker)
        os.close(from_worker)
        raise
    finally:
        os.close(arguments)
        os.close(answers)
    return Running(os.fdopen(to_worker, "wb"), os.fdopen(from_worker, "rb"), pid, server)


class _Server:
    """A fork server and the socket that it is asked through."""

    def __init__(self) -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        # -P keeps modules of the working directory out. The server ends with its socket.
        with there:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _SERVER, str(there.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment
                | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"},
                pass_fds=(there.fileno(),),
                start_new_session=True,
            )
        self._socket = here
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._is_gone = False

    @property
    def is_usable(self) -> bool:
        alive = not self._is_gone and self._process.poll() is None
        return alive and self._owner == os.getpid()

    def ask(self, request: Request, files: tuple[int, ...] = ()) -> int:
        """The answer to one request; raises OSError where the server is gone."""
        with self._lock:
            try:
                return send(self._socket, request, files)
            except OSError:
                # It may take a moment until its end shows in its status, too.
                self._is_gone = True
                raise


_guard = threading.Lock()
_servers: list[_Server] = []


def _asked(start: Start, files: tuple[int, ...]) -> tuple[_Server, int]:
    """The worker's number, from a new server if the one that was there is gone."""
    server = _server()
    with suppress(OSError):
        return server, server.ask(start, files)
    server = _server()
    return server, server.ask(start, files)


def _server() -> _Server:
    with _guard:
        if not _servers or not _servers[-1].is_usable:
            _servers[:] = [_Server()]
        return _servers[-1]

"""The process that workers are forked from, so that each starts with its modules imported.

Importing what a worker needs takes half a second of processor time; forking takes a millisecond.
Python's own fork server would import the caller's main module into every worker, and hand them
the caller's environment with its keys.
"""

from __future__ import annotations

import array
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module

import msgspec

from repo_tune_pipeline.pool.worker import serve

REQUEST_BYTES = 65_536


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Fork a worker for a function; its two ends of pipes come along. Answered by its number."""

    module: str
    function: str
    seconds: float
    memory_mib: int


class End(msgspec.Struct, frozen=True, tag="end"):
    """End a worker if it still runs. Answered by its status, as `os.waitpid` gives it."""

    pid: int


Request = Start | End


def main() -> None:
    """Answer requests on the socket whose number is the argument, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    decode = msgspec.msgpack.Decoder(Request).decode
    encode = msgspec.msgpack.Encoder().encode
    while True:
        data, files, _flags, _address = socket.recv_fds(control, REQUEST_BYTES, 2)
        if not data:
            return
        request: Request = decode(data)
        if isinstance(request, Start):
            answer = _start(request, files, control)
        else:
            os.kill(request.pid, signal.SIGKILL)
            answer = os.waitpid(request.pid, 0)[1]
        control.sendall(encode(answer))


def _start(start: Start, files: Sequence[int], control: socket.socket) -> int:
    import_module(start.module)
    if pid := os.fork():
        for file in files:
            os.close(file)
        return pid
    status = 1
    try:
        control.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        # What is there by now stays: looking through it would copy its pages into this process.
        gc.freeze()
        serve(start.module, start.function, start.seconds, start.memory_mib)
        status = 0
    finally:
        os._exit(status)


def send(control: socket.socket, request: Request, files: Sequence[int] = ()) -> int:
    """Ask, from the other side, and wait for the answer.

    Raises:
        OSError: the server is gone.
    """
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    control.sendmsg([msgspec.msgpack.encode(request)], passed)
    answer = control.recv(REQUEST_BYTES)
    if not answer:
        raise ConnectionResetError
    return msgspec.msgpack.decode(answer, type=int)


if __name__ == "__main__":
    main()

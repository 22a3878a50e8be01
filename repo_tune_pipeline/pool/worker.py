"""The worker process: reads batches of arguments, answers each, dies when one takes too much.

The limits are kept by the kernel, since a parser in C can't be interrupted from Python: a timer
of processor time whose signal ends the process, and a limit on its address space. Processor time,
not time of day: a busy machine must not change the outcome.
"""

from __future__ import annotations

import gc
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, get_type_hints

import msgspec

from repo_tune_pipeline.pool.frames import read_frame, write_frame

FAILED = b"\xc1"
"""A byte that begins no msgpack value: the function raised."""


def serve(module: str, name: str, seconds: float, memory_mib: int) -> None:
    """Serve one function from standard input to standard output until the pipe ends."""
    function: Callable[..., Any] = getattr(import_module(module), name)
    argument = next(iter(get_type_hints(function).values()))
    context = read_frame(sys.stdin.buffer)
    _limit(memory_mib)
    # Syntax nodes come by the hundred thousand and form no cycles: looking for some takes a fifth
    # of the time.
    gc.disable()
    decoder = msgspec.msgpack.Decoder(list[argument])
    encoder = msgspec.msgpack.Encoder()
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        for each in decoder.decode(frame):
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = _answer(encoder, function, each, context)
            signal.setitimer(signal.ITIMER_PROF, 0)
            write_frame(sys.stdout.buffer, answer)
            sys.stdout.buffer.flush()
        gc.collect()


def _answer(
    encoder: msgspec.msgpack.Encoder, function: Callable[..., Any], *arguments: object
) -> bytes:
    try:
        return encoder.encode(function(*arguments))
    except Exception as error:
        # The message may hold text of the input.
        return FAILED + type(error).__name__.encode()


def _limit(mib: int) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123
        pages = int(stream.read().split()[0])
    room = pages * resource.getpagesize() + mib * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

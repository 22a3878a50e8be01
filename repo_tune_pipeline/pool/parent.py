"""The side that hands out the work and notices which argument killed its worker."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from repo_tune_pipeline.pool.frames import read_frame, write_frame
from repo_tune_pipeline.pool.starting import start_worker
from repo_tune_pipeline.pool.worker import FAILED

Argument = TypeVar("Argument")
Value = TypeVar("Value")

FailureKind = Literal["timeout", "crashed", "failed"]

BATCH = 32
"""Arguments handed over at a time; fewer cost round trips, more leave a worker idle at the end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may take: processor time in seconds, memory in MiB over the idle worker's."""

    seconds: float
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no value: the time was up, the worker died (memory too), or the function raised.

    `detail` is the exception's type or the signal's name; never text of the input.
    """

    kind: FailureKind
    detail: str


def run_pool(
    function: Callable[[Argument, bytes], Value],
    arguments: Iterable[Argument],
    limits: Limits,
    *,
    context: bytes = b"",
    workers: int | None = None,
) -> Generator[tuple[int, Value | Failure], None, None]:
    """Call `function` for each argument and yield (its number, the value), as they come.

    Args:
        function: a function at a module's top level with annotated argument and result; it is
            also given the context.
        arguments: drawn from while earlier ones are being worked on, a few batches ahead.
        limits: for each call.
        context: what is the same for every call, handed to each worker once.
        workers: processes; by default one for each core that this process may use.
    """
    shared = _Shared(function, iter(arguments), limits, context)
    threads = [
        threading.Thread(target=shared.serve, daemon=True)
        for _ in range(workers or len(os.sched_getaffinity(0)))
    ]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            item = shared.results.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
            else:
                yield item
    finally:
        shared.stop()
        for thread in threads:
            thread.join(timeout=10)


class _Shared(Generic[Argument, Value]):
    """What the threads of one `run_pool` share: a thread for each worker process."""

    def __init__(
        self,
        function: Callable[[Argument, bytes], Value],
        arguments: Iterator[Argument],
        limits: Limits,
        context: bytes,
    ) -> None:
        self._function = function
        self._context = context
        self._arguments = enumerate(arguments)
        self._limits = limits
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._encoder = msgspec.msgpack.Encoder()
        self._decode: Callable[[bytes], Value] = msgspec.msgpack.Decoder(
            get_type_hints(function)["return"]
        ).decode
        # Bounded, so that results don't pile up where the caller is the slower one.
        self.results: queue.Queue[tuple[int, Value | Failure] | BaseException | None] = queue.Queue(
            maxsize=8 * BATCH
        )

    def serve(self) -> None:
        """Start a worker when there is something to do, and another where one died."""
        worker: _Worker | None = None
        try:
            while batch := self._next_batch():
                while batch and not self._stopped.is_set():
                    worker = worker or _Worker(self._function, self._limits, self._context)
                    if not self._work(worker, batch):
                        worker.close()
                        worker = None
            self._put(None)
        except BaseException as error:
            self._put(error)
        finally:
            if worker is not None:
                worker.close()

    def stop(self) -> None:
        """Let the threads come to an end, whatever is left."""
        self._stopped.set()
        with suppress(queue.Empty):
            while True:
                self.results.get_nowait()

    def _work(self, worker: _Worker, batch: deque[tuple[int, Argument]]) -> bool:
        """Take from `batch` what was answered; False once one of it has killed the worker."""
        worker.send(self._encoder.encode([argument for _, argument in batch]))
        while batch and not self._stopped.is_set():
            answer = worker.receive()
            number, _argument = batch.popleft()
            if answer is None:
                self._put((number, worker.failure()))
                return False
            if answer.startswith(FAILED):
                detail = answer[len(FAILED) :].decode("ascii", "replace")
                self._put((number, Failure("failed", detail)))
            else:
                self._put((number, self._decode(answer)))
        return True

    def _next_batch(self) -> deque[tuple[int, Argument]]:
        batch: deque[tuple[int, Argument]] = deque()
        with self._lock:
            for item in self._arguments:
                batch.append(item)
                if len(batch) == BATCH:
                    break
        return batch

    def _put(self, item: tuple[int, Value | Failure] | BaseException | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self.results.put(item, timeout=0.5)
                return


class _Worker:
    """One worker process and its pipes."""

    def __init__(self, function: Callable[..., Any], limits: Limits, context: bytes) -> None:
        self._running = start_worker(function, limits.seconds, limits.memory_mib)
        self.send(context)

    def send(self, frame: bytes) -> None:
        # A worker that is gone shows in `receive`.
        with suppress(BrokenPipeError):
            write_frame(self._running.stdin, frame)
            self._running.stdin.flush()

    def receive(self) -> bytes | None:
        return read_frame(self._running.stdout)

    def failure(self) -> Failure:
        """Why it died."""
        code = os.waitstatus_to_exitcode(self._running.end())
        if code == -signal.SIGPROF:
            return Failure("timeout", "SIGPROF")
        return Failure("crashed", signal.Signals(-code).name if code < 0 else f"exit {code}")

    def close(self) -> None:
        for stream in (self._running.stdin, self._running.stdout):
            with suppress(OSError):
                stream.close()
        self._running.end()

"""Functions that behave well and badly, at a module's top level, where a worker finds them."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    what: str
    size: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Receipt:
    what: str
    pid: int
    data: bytes


def fill(order: Order, context: bytes) -> Receipt:
    match order.what:
        case "spin":
            while True:
                pass
        case "spin in C":
            # One call that Python's signal handlers can't get into.
            b"".join([b"a" * 50_000]).count(b"a" * 25_000 + b"b")
            sum(range(10**12))
        case "eat":
            return Receipt("eat", os.getpid(), b"x" * (order.size << 20))
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "parent":
            return Receipt("parent", os.getpid(), str(os.getppid()).encode())
        case "environment":
            with open("/proc/self/environ", "rb") as stream:  # noqa: PTH123
                return Receipt("environment", os.getpid(), stream.read())
        case "raise":
            raise ValueError("a text of the input")
        case _:
            pass
    return Receipt(order.what, os.getpid(), context + order.data)

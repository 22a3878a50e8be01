"""What a caller of the pool can rely on when an input spins, eats memory or kills its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from repo_tune_pipeline.pool import Failure, Limits, run_pool
from repo_tune_pipeline_tests.pool.functions import Order, Receipt, fill

LIMITS = Limits(seconds=0.5, memory_mib=200)


def outcomes(orders: list[Order], workers: int = 2) -> list[Receipt | Failure]:
    found = dict(run_pool(fill, orders, LIMITS, context=b"to all: ", workers=workers))
    assert sorted(found) == list(range(len(orders)))
    return [found[number] for number in range(len(orders))]


def test_every_argument_has_its_own_answer_and_bytes_arrive_unchanged() -> None:
    orders = [Order(f"plain {n}", data=bytes([n % 256]) * n) for n in range(300)]
    receipts = outcomes(orders)
    assert [(r.what, r.data) for r in receipts if isinstance(r, Receipt)] == [
        (order.what, b"to all: " + order.data) for order in orders
    ]
    assert os.getpid() not in {r.pid for r in receipts if isinstance(r, Receipt)}


@pytest.mark.parametrize(
    ("what", "kind"),
    [("spin", "timeout"), ("spin in C", "timeout"), ("die", "crashed"), ("raise", "failed")],
)
@pytest.mark.parametrize("place", [0, 7, 39])
def test_one_bad_argument_costs_that_argument_only(what: str, kind: str, place: int) -> None:
    orders = [Order(f"plain {n}") for n in range(40)]
    orders[place] = Order(what)
    receipts = outcomes(orders, workers=1)
    failure = receipts.pop(place)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert "input" not in failure.detail
    assert all(isinstance(receipt, Receipt) for receipt in receipts)


def test_an_argument_that_eats_too_much_memory_fails_and_a_smaller_one_does_not() -> None:
    big, small = outcomes([Order("eat", size=400), Order("eat", size=20)], workers=1)
    assert isinstance(big, Failure)
    assert isinstance(small, Receipt)


def test_a_caller_that_stops_early_leaves_no_worker_behind() -> None:
    running = run_pool(fill, (Order(f"plain {n}") for n in range(10_000)), LIMITS, workers=2)
    _number, receipt = next(running)
    assert isinstance(receipt, Receipt)
    running.close()
    deadline = time.monotonic() + 10
    while _alive(receipt.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(receipt.pid)


def test_a_worker_sees_no_key_of_the_callers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k-1")
    (receipt,) = outcomes([Order("environment")], workers=1)
    assert isinstance(receipt, Receipt)
    assert b"PATH" in receipt.data
    assert b"GEMINI" not in receipt.data


def test_workers_come_back_after_what_they_are_forked_from_was_killed() -> None:
    (receipt,) = outcomes([Order("parent")], workers=1)
    assert isinstance(receipt, Receipt)
    os.kill(int(receipt.data), signal.SIGKILL)
    assert all(isinstance(one, Receipt) for one in outcomes([Order("plain")] * 40))


def test_no_argument_starts_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert list(run_pool(fill, [], LIMITS)) == []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""What the HTTP service stands: requests a second, and ten minutes of questions without a loss.

    python bench/service.py [--minutes M] [--clients N] [--rate R]

The service runs in a process of its own over an index of 20,000 chunks, with true retrieval and a
stub in place of the model; this process asks. Half a minute at full throttle, where each client
asks again as soon as it is answered, shows how many questions a second there can be; then each of
the clients asks at its turn, so that all of them ask `--rate` a second, and a time runs from the
turn, answered late or not. Prints ratios to the limits: health at least 1,000 requests a second;
`/query` at least 50 a second at 32 clients, 95 % of them within 250 ms, no answer of 5xx, and
memory that grows by 5 % at most once the half minute has passed. At last the service is filled with
questions that the stub holds, and 64 more at once are each refused within 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

HEALTH_PER_SECOND, QUERIES_PER_SECOND, P95_SECONDS, GROWTH = 1_000.0, 50.0, 0.25, 1.05
REFUSAL_SECONDS = 0.1
CHUNKS = 20_000
MAX_WAITING = 64
REFUSED = 64
HOLD = "Hold this question."
HEALTH_SECONDS = 10.0
WARM_SECONDS = 30.0
RATE = 55.0


def main() -> None:
    """Serve, or measure a service that is started for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--serve", nargs=2, metavar=("HOME", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(Path(given.serve[0]), int(given.serve[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        words = make_home(Path(folder))
        port = free_port()
        command = [sys.executable, __file__, "--serve", folder, str(port)]
        with subprocess.Popen(command) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                wait_for(url, process)
                told = asyncio.run(
                    measure(url, process.pid, words, given.clients, given.minutes, given.rate)
                )
            finally:
                process.terminate()
    print(json.dumps(told, indent=2))


def serve(home: Path, port: int) -> None:
    """The service as it is, but for the model."""
    import uvicorn

    from repo_tune_pipeline.artifacts import Home
    from repo_tune_pipeline.models.protocol import Answer
    from repo_tune_pipeline.service.app import create_app
    from repo_tune_pipeline.settings import ServiceSettings, Settings

    class Stub:
        def has_room(self, prompt: Any, max_tokens: int) -> bool:
            return len(prompt.input) + max_tokens < 6_000

        def answer(self, prompts: Any, *, follow: Any = None, **_: Any) -> list[Answer]:
            for row, prompt in enumerate(prompts):
                while prompt.instruction.endswith(HOLD) and not follow.is_over(row):
                    time.sleep(0.01)
            return [Answer("It does.", 100, 3, finished=True) for _ in prompts]

    settings = Settings(service=ServiceSettings(max_waiting=MAX_WAITING))
    stub = Stub()
    app = create_app(
        Home(home), settings, "http://127.0.0.1:9", load=lambda _: {"fine-tuned": stub}
    )
    uvicorn.run(app, port=port, log_level="error", loop="uvloop", http="httptools")


def make_home(root: Path) -> list[str]:
    """An index of functions with names of their own, and the folder of an adapter; the names."""
    from repo_tune_pipeline.artifacts import Home, point_latest, write_json
    from repo_tune_pipeline.records import CodeChunk
    from repo_tune_pipeline.retrieval import build_index

    chance = random.Random(0)
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    words = ["".join(chance.choices(syllables, k=3)) for _ in range(3_000)]
    names = ["_".join(chance.choices(words, k=3)) for _ in range(CHUNKS)]
    chunks = [
        CodeChunk(
            chunk_id=f"{at:016x}",
            repo="bench/code",
            commit="c" * 40,
            path=f"src/part_{at // 20}.py",
            language="Python",
            license="MIT",
            kind="function",
            symbol=name,
            signature="",
            docstring="",
            doc_span=None,
            source=f"def {name}({', '.join(chance.choices(words, k=3))}):\n"
            + "".join(f"    {' = '.join(chance.choices(words, k=2))}\n" for _ in range(8)),
            start_line=10 * (at % 20) + 1,
            end_line=10 * (at % 20) + 9,
        )
        for at, name in enumerate(names)
    ]
    home = Home(root)
    build_index(home.index, chunks)
    folder = home.adapters("main") / "0123456789ab"
    run = {"variant": "main", "version": "0123456789ab", "base_path": "stub", "base_model": "stub"}
    write_json(folder / "run.json", run)
    point_latest(folder)
    return names


async def measure(
    url: str, pid: int, names: list[str], clients: int, minutes: float, rate: float
) -> dict[str, Any]:
    """Health, full throttle, then a steady load for some minutes."""
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(
        base_url=url, timeout=30, limits=limits, trust_env=False
    ) as client:
        health = await raw_rate(url, HEALTH_SECONDS)
        chance = random.Random(1)
        statuses: dict[int, int] = {}

        async def ask() -> None:
            asked = {"q": f"What does {chance.choice(names)} do?", "model": "fine-tuned"}
            answer = await client.post("/query", json=asked)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

        until = time.monotonic() + WARM_SECONDS

        async def ask_again() -> None:
            while time.monotonic() < until:
                await ask()

        await asyncio.gather(*(ask_again() for _ in range(clients)))
        most = sum(statuses.values()) / WARM_SECONDS
        warm = resident(pid)
        memory, times = [warm], list[float]()
        began = time.monotonic()
        end = began + 60 * minutes

        async def ask_in_turn(number: int) -> None:
            turn = began + number / rate
            while turn < end:
                await asyncio.sleep(max(0.0, turn - time.monotonic()))
                await ask()
                times.append(time.monotonic() - turn)
                turn += clients / rate

        async def watch() -> None:
            while time.monotonic() < end:
                await asyncio.sleep(min(5.0, 12 * minutes))
                memory.append(resident(pid))

        await asyncio.gather(watch(), *(ask_in_turn(number) for number in range(clients)))
        seconds = time.monotonic() - began
    refusal = await slowest_refusal(url, names[0])
    p95 = sorted(times)[int(0.95 * len(times))]
    held = len(times) / seconds
    return {
        "health_per_second": round(health),
        "health_to_limit": round(health / HEALTH_PER_SECOND, 2),
        "queries_per_second_at_full_throttle": round(most, 1),
        "queries_per_second": round(held, 1),
        "queries_to_limit": round(held / QUERIES_PER_SECOND, 2),
        "p95_ms": round(1000 * p95, 1),
        "p95_to_limit": round(p95 / P95_SECONDS, 2),
        "slowest_refusal_ms": round(1000 * refusal, 1),
        "refusal_to_limit": round(refusal / REFUSAL_SECONDS, 2),
        "statuses": statuses,
        "server_errors": sum(count for status, count in statuses.items() if status >= 500),
        "memory_mb": [round(size / 1e6) for size in (warm, max(memory), memory[-1])],
        "growth": round(memory[-1] / warm, 3),
        "growth_to_limit": round(memory[-1] / warm / GROWTH, 3),
        "minutes": round(seconds / 60, 2),
        "clients": clients,
        "chunks": CHUNKS,
    }


async def raw_rate(url: str, seconds: float, connections: int = 16) -> float:
    """Answers a second from `/health`, asked over plain sockets: a client library of Python would
    be what is measured.
    """
    host, port = url.removeprefix("http://").split(":")
    request = f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    until = time.monotonic() + seconds
    answered = 0

    async def ask() -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.monotonic() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            answered += 1
        writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return answered / seconds


async def slowest_refusal(url: str, name: str) -> float:
    """Seconds until the last of many questions at once was turned away by a full service, over
    plain sockets as `raw_rate`.
    """
    from repo_tune_pipeline.service.admission import most_under_way
    from repo_tune_pipeline.settings import ServiceSettings

    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"q": f"What does {name} do? {HOLD}", "model": "fine-tuned"})
    request = (
        f"POST /query HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    most = most_under_way(ServiceSettings(max_waiting=MAX_WAITING))
    held, more = [
        [await asyncio.open_connection(host, int(port)) for _ in range(count)]
        for count in (most, REFUSED)
    ]
    for _, writer in held:
        writer.write(request)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        full = f"repo_tune_questions_under_way {most:.1f}"
        while full not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.05)

    async def refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        began = time.monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert b"retry-after: " in head.lower()
        return time.monotonic() - began

    slowest = max(await asyncio.gather(*(refused(*one) for one in more)))
    for _, writer in [*held, *more]:
        writer.close()
    return slowest


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the service answers."""
    while process.poll() is None:
        try:
            httpx.get(f"{url}/health", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    sys.exit("The service ended before it answered.")


if __name__ == "__main__":
    main()

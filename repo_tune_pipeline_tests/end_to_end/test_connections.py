"""A whole `repo-tune demo`, and a second one, connect to nothing beyond this machine."""

from __future__ import annotations

import errno
import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT
from repo_tune_pipeline_tests.end_to_end.watching import (
    QUIET,
    SECONDS,
    Sampler,
    Watched,
    out_of,
    sampled,
    watch,
)

pytestmark = pytest.mark.slow

CONFIG = """\
training:
  max_steps: 4
evaluation:
  placebo: ""
  max_examples: 20
  max_generations: 2
  max_new_tokens: 8
  bootstrap_resamples: 100
variants:
  main: {}
"""
TEST_NET = "192.0.2.1"
"""An address that RFC 5737 keeps for documents."""
NO_NAME = "telemetry.invalid"
"""A name that RFC 6761 keeps from ever being one."""
CONTROL = f"""
import socket, sys, time
with socket.socket() as stream:
    stream.setblocking(False)
    stream.connect_ex(({TEST_NET!r}, 9))
with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
    # Nothing is sent, but the kernel lists where it would go.
    code = datagrams.connect_ex(({TEST_NET!r}, 9))
    time.sleep(20 * {SECONDS})
try:
    socket.getaddrinfo({NO_NAME!r}, 443)
except socket.gaierror:
    pass
open(sys.argv[1], "w").write(str(code))
"""
PARENTS = {
    # As the pool starts its fork server: hardly any environment, and a session of its own.
    "cleaned": "subprocess.run(command, env={}, start_new_session=True, check=True)",
    "orphan": "subprocess.Popen(command, start_new_session=True)",
}


@dataclass(frozen=True)
class Demos:
    watched: Watched
    sampler: Sampler
    home: Path
    results: list[dict[str, Any]]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Demos:
    base = tmp_path_factory.mktemp("watched")
    watched, home = watch(base / "env"), base / "home"
    config = base / "repo_tune.yaml"
    config.write_text(CONFIG)
    command = [watched.python, "-m", "repo_tune_pipeline.cli", "demo", "--json"]
    results: list[dict[str, Any]] = []
    with sampled(str(base)) as sampler:
        for _ in range(2):
            done = subprocess.run(
                [*command, "--config", str(config)],
                cwd=CHECKOUT,
                env=watched.environ(home, str(base)),
                capture_output=True,
                text=True,
                check=False,
                timeout=1500,
            )
            assert done.returncode == 0, done.stderr
            results.append(json.loads(done.stdout))
    return Demos(watched, sampler, home, results)


def test_every_stage_was_walked_twice(demos: Demos) -> None:
    for result in demos.results:
        assert list(result) == ["ingest", "generate_data", "train", "evaluate"]


def test_no_python_process_asks_for_a_connection_or_a_name_beyond_this_machine(
    demos: Demos,
) -> None:
    told = [
        "\n  ".join([f"{one['event']} {one['address']}: {' '.join(one['argv'])}", *one["stack"]])
        for one in out_of(demos.watched)
    ]
    if told:
        pytest.fail("\n".join(told), pytrace=False)


def test_no_process_has_a_socket_that_is_connected_beyond_this_machine(demos: Demos) -> None:
    assert not demos.sampler.found


@pytest.mark.parametrize(
    "part",
    [
        "repo_tune_pipeline.cli",
        "repo_tune_pipeline.defs.launch",
        "repo_tune_pipeline.pool.forkserver",
        "repo_tune_pipeline.training.worker",
        "axolotl.cli.main train",
    ],
)
def test_both_watchers_saw_every_part_of_the_chain(demos: Demos, part: str) -> None:
    hooked = {" ".join(one["argv"]) for one in demos.watched.events() if one["event"] == "start"}
    assert any(part in command for command in hooked)
    assert any(part in command for command in demos.sampler.processes)


def test_the_trainer_is_told_to_tell_no_one(demos: Demos) -> None:
    trainers = [
        one["environ"]
        for one in demos.watched.events()
        if one["event"] == "start" and "axolotl.cli.main" in one["argv"]
    ]
    assert trainers
    for environ in trainers:
        assert {name: environ.get(name) for name in QUIET} == QUIET
    instance = yaml.safe_load((demos.home / "dagster" / "dagster.yaml").read_text())
    assert instance["telemetry"] == {"enabled": False}


@pytest.mark.parametrize("parent", PARENTS)
def test_both_watchers_would_see_it(parent: str, tmp_path: Path) -> None:
    watched, done = watch(tmp_path / "env"), tmp_path / "done"
    control = tmp_path / "control.py"
    control.write_text(CONTROL)
    command = [watched.python, str(control), str(done)]
    program = f"import subprocess; command = {command!r}; {PARENTS[parent]}"
    with sampled(str(tmp_path)) as sampler:
        subprocess.run(
            [watched.python, "-c", program],
            env=watched.environ(tmp_path / "home", str(tmp_path)),
            check=True,
        )
        for _ in range(1200):
            if done.exists() and done.read_text():
                break
            threading.Event().wait(SECONDS)
    seen = [(one["event"], one["address"]) for one in out_of(watched)]
    assert seen == [
        ("socket.connect", [TEST_NET, 9]),
        ("socket.connect", [TEST_NET, 9]),
        ("socket.getaddrinfo", NO_NAME),
    ]
    assert all(f"{control}:" in one["stack"][0] for one in out_of(watched)[:2])
    if int(done.read_text()) == errno.ENETUNREACH:
        pytest.skip("without a route the kernel connects nothing, so the sampler has no control")
    assert TEST_NET in {ip for ip, command in sampler.found if str(control) in command}

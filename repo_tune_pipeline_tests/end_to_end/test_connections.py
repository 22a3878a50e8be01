"""A whole `repo-tune demo`, and a second one, connect to nothing beyond this machine.

Two watchers look on. A hook in every Python process sees each connection and each look-up of a name
that is asked for, and who asked. A sampler sees what any process, git too, has connected: only what
lasts longer than its interval, but of programs in any language.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, environment

pytestmark = pytest.mark.slow

CONFIG = """\
training:
  max_steps: 4
evaluation:
  max_examples: 20
  max_generations: 2
  max_new_tokens: 8
  bootstrap_resamples: 100
variants:
  main: {}
"""
HOOK = """
import json, os, sys

FILE = os.path.join(sys.prefix, "events.jsonl")
SOCKETS = ("socket.connect", "socket.sendto", "socket.sendmsg")
NAMES = (
    "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"
)


def note(event, **said):
    said = {"event": event, "pid": os.getpid(), "argv": sys.orig_argv, **said}
    file = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, json.dumps(said, default=repr).encode() + b"\\n")
    os.close(file)


def stack():
    frame, found = sys._getframe(2), []
    while frame is not None:
        code = frame.f_code
        found.append(f"{code.co_filename}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return found


def hook(event, args):
    if event in SOCKETS:
        note(event, family=int(args[0].family), address=args[1], stack=stack())
    elif event in NAMES:
        note(event, address=args[0], stack=stack())


note("start", environ=dict(os.environ))
sys.addaudithook(hook)
"""
MARK = "WATCHED_BY_A_TEST"
SECONDS = 0.05
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
QUIET = {
    "AXOLOTL_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "WANDB_MODE": "disabled",
}
UNSET = {*QUIET, "GIT_ALLOW_PROTOCOL", "PYTHONPATH"}
"""What would keep this machine quiet, or send it through a proxy on it, isn't the demo's doing."""


class Sampler:
    """The remote addresses of all processes that carry the mark, and of all that they started."""

    def __init__(self, mark: str) -> None:
        self._mark = f"{MARK}={mark}".encode()
        self._ours: set[tuple[int, str]] = set()
        self.found: set[tuple[str, str]] = set()
        self.processes: set[str] = set()

    def look(self) -> None:
        alive = self._processes()
        for pid in alive:
            tables = [f"/proc/{pid}/net/{name}" for name in ("tcp", "tcp6", "udp", "udp6")]
            # All of a network namespace's sockets; whose they are is asked only where it matters.
            remote = {inode: ip for table in tables for inode, ip in _remote(table)}
            if remote:
                for inode in remote.keys() & set(_sockets(pid)):
                    self.found.add((remote[inode], _command(pid)))

    def _processes(self) -> list[int]:
        stats: dict[int, tuple[int, str]] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError):
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                    stats[int(folder.name)] = (int(fields[1]), fields[19])
        ours = {pid for pid, (_, since) in stats.items() if (pid, since) in self._ours}
        # Parents come before their children as long as the numbers don't start anew.
        for pid, (parent, since) in sorted(stats.items()):
            if pid not in ours and (parent in ours or self._is_marked(pid)):
                ours.add(pid)
                self._ours.add((pid, since))
            if pid in ours:
                self.processes.add(_command(pid))
        return sorted(ours)

    def _is_marked(self, pid: int) -> bool:
        with suppress(OSError):
            return self._mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


def _remote(table: str) -> Iterator[tuple[str, str]]:
    with suppress(OSError):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            words = bytes.fromhex(fields[2].partition(":")[0])
            # Each 32 bits are in the machine's own order.
            raw = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
            if not _stays(str(ipaddress.ip_address(raw))):
                yield fields[9], str(ipaddress.ip_address(raw))


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]


def _command(pid: int) -> str:
    with suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    return ""


def _stays(ip: str) -> bool:
    """Whether what is sent there stays on this machine; ValueError for what is no address."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


@contextmanager
def sampled(mark: str) -> Generator[Sampler]:
    sampler, done = Sampler(mark), threading.Event()

    def work() -> None:
        while not done.wait(SECONDS):
            sampler.look()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sampler
    finally:
        done.set()
        thread.join()


@dataclass(frozen=True)
class Watched:
    """An environment that adds the hook to this one's packages: nothing can clean that away.

    A variable wouldn't do: the pool starts its workers without PYTHONPATH.
    """

    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def environ(self, home: Path, mark: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in environment(home).items()
            if name not in UNSET and not name.lower().endswith("_proxy")
        }
        # Nothing that was fetched earlier.
        return {**kept, "HF_HOME": str(home.parent / "hub"), MARK: mark}

    def events(self) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def _goes_out(event: dict[str, Any]) -> bool:
    kind, address = event["event"], event["address"]
    if kind in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        # Without an address it goes where the socket was connected to.
        if address is None or event["family"] in (socket.AF_UNIX, socket.AF_NETLINK):
            return False
        address = address[0]
    elif kind == "socket.getnameinfo":
        address = address[0]
    if address in (None, "", "localhost", socket.gethostname()):
        return False
    try:
        stays = _stays(address)
    except ValueError:
        return True
    # To take an address for a name needs no asking.
    return not stays and kind not in ("socket.getaddrinfo", "socket.gethostbyname")


def _out(watched: Watched) -> list[dict[str, Any]]:
    return [one for one in watched.events() if one["event"] != "start" and _goes_out(one)]


def _watched(folder: Path) -> Watched:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "watch_connections.py").write_text(HOOK)
    packages = sysconfig.get_path("purelib")
    (site / "watch.pth").write_text(
        f"import watch_connections\nimport site; site.addsitedir({packages!r})\n"
    )
    return Watched(folder)


@dataclass(frozen=True)
class Demos:
    watched: Watched
    sampler: Sampler
    home: Path
    results: list[dict[str, Any]]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Demos:
    base = tmp_path_factory.mktemp("watched")
    watched, home = _watched(base / "env"), base / "home"
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
        for one in _out(demos.watched)
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
    watched, done = _watched(tmp_path / "env"), tmp_path / "done"
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
    seen = [(one["event"], one["address"]) for one in _out(watched)]
    assert seen == [
        ("socket.connect", [TEST_NET, 9]),
        ("socket.connect", [TEST_NET, 9]),
        ("socket.getaddrinfo", NO_NAME),
    ]
    assert all(f"{control}:" in one["stack"][0] for one in _out(watched)[:2])
    if int(done.read_text()) == errno.ENETUNREACH:
        pytest.skip("without a route the kernel connects nothing, so the sampler has no control")
    assert TEST_NET in {ip for ip, command in sampler.found if str(control) in command}

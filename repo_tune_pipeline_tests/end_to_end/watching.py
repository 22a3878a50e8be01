"""Two watchers of what processes connect to.

A hook in every Python process sees each connection and each look-up of a name that is asked for,
and who asked. A sampler sees what any process, git too, has connected: only what lasts longer than
its interval, but of programs in any language.
"""

from __future__ import annotations

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

from repo_tune_pipeline_tests.end_to_end.program import environment

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
    """Look on while the body runs."""
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


def out_of(watched: Watched) -> list[dict[str, Any]]:
    """What was asked for beyond this machine."""
    return [one for one in watched.events() if one["event"] != "start" and _goes_out(one)]


def watch(folder: Path) -> Watched:
    """Make such an environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "watch_connections.py").write_text(HOOK)
    packages = sysconfig.get_path("purelib")
    (site / "watch.pth").write_text(
        f"import watch_connections\nimport site; site.addsitedir({packages!r})\n"
    )
    return Watched(folder)

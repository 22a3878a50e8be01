"""`repo-tune` as a user starts it, in a folder of its own, and watched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline_tests.end_to_end.program import environment
from repo_tune_pipeline_tests.ingestion.ran import NAME, SECONDS, Ran

PROGRAM = Path(sys.executable).with_name("repo-tune")
_WATCH = """
import json, os
log = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def note(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        told = list(arguments[1])
    elif event == "subprocess.Popen":
        told = [os.fsdecode(one) for one in arguments[1]]
    elif event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        told = os.fsdecode(arguments[0])
        if not told.startswith({folder!r}):
            return
    else:
        return
    os.write(log, (json.dumps([event, told]) + chr(10)).encode())
__import__("sys").addaudithook(note)
"""
"""What each Python process of the command runs first, as a module that Python looks for."""
_MEASURE = """
import json, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
with open(sys.argv[1], "w") as told:
    json.dump([code, peak], told)
"""
"""Starts the command from a small process: one's peak is never below its parent's as it started."""


class Place:
    """A folder for one command: what it reads, `home` where it may write, a trap for connections.

    Its user has an empty home directory and an empty folder for temporary files.
    """

    def __init__(self, folder: Path, used_home: Path | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._beside = folder.with_name(f"{folder.name}-beside")
        self._programs = self._beside / "bin"
        for each in (folder / "user", folder / "tmp", self._programs):
            each.mkdir(parents=True)
        if used_home is not None:
            shutil.copytree(used_home, self.home)
        self._trap = socket.create_server(("127.0.0.1", 0))
        self._trap.setblocking(False)

    @property
    def port(self) -> int:
        """A port of this machine to which nothing may connect."""
        return self._trap.getsockname()[1]

    def program(self, name: str, lines: str) -> None:
        """Put a shell script in front of the program `name`."""
        file = self._programs / name
        file.write_text(f"#!/bin/sh\n{lines}\n")
        file.chmod(0o755)

    def ingest(
        self,
        source: str | Path,
        *options: str,
        settings: Mapping[str, object] | None = None,
        **changes: str,
    ) -> Ran:
        """`repo-tune ingest` of one source; `settings` are those of ingestion."""
        arguments = ["--name", NAME, *options, "--", str(source)]
        return self.run("ingest", *arguments, config={"ingestion": settings or {}}, **changes)

    def run(
        self, command: str, *arguments: str, config: Mapping[str, object], **changes: str
    ) -> Ran:
        """One command with `--json`, to its end or to the end of its time."""
        file, log = self._beside / "repo_tune.yaml", self._beside / f"{command}.watch"
        file.write_text(json.dumps(config))
        watch = _WATCH.format(log=str(log), folder=f"{self.folder}/")
        (self._beside / "sitecustomize.py").write_text(watch)
        options = ["--home", str(self.home), "--config", str(file), "--json"]
        before, began = self._standing(), time.monotonic()
        code, peak = self._end([str(PROGRAM), command, *options, *arguments], changes)
        seconds, after = time.monotonic() - began, self._standing()
        seen = [json.loads(line) for line in log.read_text().splitlines()]
        opened = [path for event, path in seen if event == "open"]
        return Ran(
            home=Home(self.home),
            code=code,
            out=(self._beside / "out").read_text(),
            err=(self._beside / "err").read_text(),
            seconds=seconds,
            peak_mib=peak // 1024,
            connected=[address for event, address in seen if event == "socket.connect"],
            started=[line for event, line in seen if event == "subprocess.Popen"],
            opened=[path for path in opened if not path.startswith(str(self.home))],
            changed=sorted({path for path, _ in before.items() ^ after.items()}),
            trapped=self._is_trapped(),
        )

    def _end(self, command: list[str], changes: Mapping[str, str]) -> tuple[int, int]:
        """Its exit code, and the most KiB that it or a process that it waited for took."""
        told = self._beside / "measured"
        told.unlink(missing_ok=True)
        with (self._beside / "out").open("wb") as out, (self._beside / "err").open("wb") as err:
            process = subprocess.Popen(
                # Isolated, so that this process isn't watched.
                [sys.executable, "-I", "-S", "-c", _MEASURE, str(told), *command],
                cwd=self.folder,
                env=self._environment(changes),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait(), 0
        code, peak = json.loads(told.read_text())
        return code, peak

    def _environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        # Without bytecode the program would be compiled anew in each process.
        odd = ("http_proxy", "https_proxy", "all_proxy", "pythondontwritebytecode")
        plain = {k: v for k, v in environment(self.home).items() if k.lower() not in odd}
        paths = [str(self._beside), *filter(None, [plain.get("PYTHONPATH", "")])]
        return plain | {
            "HOME": str(self.folder / "user"),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": f"{self._programs}:{plain['PATH']}",
            "PYTHONPATH": ":".join(paths),
            **changes,
        }

    def _standing(self) -> dict[str, tuple[int, int, int]]:
        """Every path outside of the home, with what would tell of a change."""
        found: dict[str, tuple[int, int, int]] = {}
        for base, folders, files in os.walk(self.folder):
            if base == str(self.folder):
                folders[:] = [name for name in folders if name != "home"]
            for name in (*folders, *files):
                about = Path(base, name).lstat()
                changed = 0 if name in folders else about.st_mtime_ns
                found[f"{base}/{name}"] = (about.st_mode, about.st_size, changed)
        return found

    def _is_trapped(self) -> bool:
        try:
            self._trap.accept()
        except BlockingIOError:
            return False
        return True

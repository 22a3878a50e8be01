"""What a command did and left behind, and what must hold of that whatever it was given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.ingestion import load_ledger, load_snapshot
from repo_tune_pipeline.records import SourceFile

SECONDS, MIB = 60, 1024
NAME = "local/shop"


@dataclass(frozen=True)
class Ran:
    """How one command ended; `peak_mib` is the most that one of its processes took.

    `connected`, `started` and `opened` are what its Python processes did: addresses, argument
    lists, and paths below its folder. `changed` are paths outside of its home that came, went or
    changed; `trapped` tells whether anybody connected to the port that nobody may connect to.
    """

    home: Home
    code: int
    out: str
    err: str
    seconds: float
    peak_mib: int
    connected: list[list[Any]]
    started: list[list[str]]
    opened: list[str]
    changed: list[str]
    trapped: bool

    @property
    def told(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        return json.loads(self.out)

    @property
    def asked_of_git(self) -> set[str]:
        """The commands that git was given."""
        lines = [line[1:] for line in self.started if Path(line[0]).name == "git"]
        return {next(one for one in line if not one.startswith("-")) for line in lines}

    def reasons(self) -> dict[str, str]:
        """What the ledger says of each path."""
        return {row.path: row.reason for row in load_ledger(self.home.snapshot(NAME))}

    def files(self) -> dict[str, SourceFile]:
        """The files that were kept."""
        return {file.path: file for file in load_snapshot(self.home.snapshot(NAME)).files}

    def everything(self) -> Iterator[tuple[str, bytes]]:
        """All that it said and all that lies below its home, tables in plain form too."""
        yield "the terminal", f"{self.out}\n{self.err}".encode()
        for file in sorted(self.home.root.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield str(file), file.read_bytes()
                if file.suffix == ".parquet":
                    yield f"{file} (read)", repr(pq.read_table(file).to_pylist()).encode()


def assert_refused(ran: Ran, why: str) -> None:
    """One clear error that says `why` and what to do, and nothing of the source was kept."""
    assert ran.code in (1, 2), ran.err
    told = ran.told
    assert set(told) == {"error", "remedy", "exit_code"}
    assert why in told["error"]
    assert told["remedy"]
    assert told["error"].isprintable()
    assert ran.err.endswith(f"repo-tune: {told['error']}\n  {told['remedy']}\n")
    assert ran.err.count("repo-tune: ") == 1
    assert [path for path in (ran.home.root / "repos").rglob("*") if path.is_file()] == []
    assert_harmless(ran)


def assert_taken(ran: Ran) -> None:
    """It ended well, and each path that was seen was kept or dropped with a reason."""
    assert ran.code == 0, ran.err
    files, reasons = ran.told["files"], list(ran.reasons().values())
    assert files["seen"] == len(reasons) == files["kept"] + sum(files["dropped"].values())
    assert files["dropped"] == {reason: reasons.count(reason) for reason in {*reasons} - {""}}
    assert_harmless(ran)


def assert_harmless(ran: Ran) -> None:
    """Whatever came of it: no traceback, no trace outside of its home, within its limits."""
    assert "Traceback" not in ran.out + ran.err
    assert ran.changed == []
    assert not ran.trapped
    assert ran.peak_mib < MIB
    assert ran.seconds < SECONDS


def assert_offline(ran: Ran) -> None:
    """Nothing was connected to, and git wasn't asked to."""
    assert ran.connected == []
    assert ran.asked_of_git.isdisjoint({"ls-remote", "fetch"})

"""What the runs of the chain leave for those who wait for them: results, and a sign of life.

A run's process holds a lock for as long as it lives. The kernel gives it up however the process
ends, so that a run whose record says "started" and whose lock is free has died without a word; or
is just ending, and said so. The locked file tells which process it is, so that it can be ended.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from repo_tune_pipeline.artifacts import Home, read_json, write_json
from repo_tune_pipeline.errors import StorageError

_TRAINING = "training"
_ALIVE, _OVER = "alive", "over"
_ENDING_SECONDS = 60.0
"""So long a run that let go may take until its record says how it ended."""
_held: dict[str, IO[bytes]] = {}


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A training of a run: its working folder, and where its version is put at the end."""

    work_dir: Path
    adapter: Path

    @property
    def folder(self) -> Path:
        """The one of the two that is there; the log and the metrics lie in it."""
        return self.adapter if self.adapter.is_dir() else self.work_dir


def hold_job(home: Home, run_id: str) -> None:
    """Show that the run `run_id` is this process's, until `let_job_go` or its end."""
    file = _folder(home, run_id) / _ALIVE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name(_OVER).unlink(missing_ok=True)
    # Nothing is overwritten yet: another step of the run may hold it.
    stream = file.open("ab")
    fcntl.flock(stream, fcntl.LOCK_EX)
    stream.truncate(0)
    stream.write(_named(os.getpid()).encode())
    stream.flush()
    _held[run_id] = stream


def let_job_go(run_id: str) -> None:
    """The run ended well or badly, in this process."""
    stream = _held.pop(run_id, None)
    if stream is not None:
        Path(stream.name).with_name(_OVER).touch()
        stream.close()


def is_alive(home: Home, run_id: str) -> bool | None:
    """Whether the run's process lives or is just ending; None if it never said that it does."""
    held = _is_held(home, run_id)
    if held is not False:
        return held
    try:
        ended = (_folder(home, run_id) / _OVER).stat().st_mtime
    except OSError:
        return False
    return time.time() - ended < _ENDING_SECONDS


def holder(home: Home, run_id: str) -> str:
    """A name of the run's process, like no other process's; empty where none is known to live."""
    if not _is_held(home, run_id):
        return ""
    try:
        return (_folder(home, run_id) / _ALIVE).read_text(encoding="ascii")
    except OSError:
        return ""


def process_of(home: Home, run_id: str) -> int | None:
    """The id of the run's process; None where none lives that this process may signal."""
    name = holder(home, run_id)
    if not name:
        return None
    pid = int(name.split()[0])
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    # On another machine, or in another container, an id is another process's or nobody's.
    return pid if _named(pid) == name else None


def interrupt(home: Home, run_id: str) -> bool:
    """End the run as Ctrl-C does; False where its process is out of reach."""
    pid = process_of(home, run_id)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGINT)
    except OSError:
        return False
    return True


def _named(pid: int) -> str:
    """The id, and when the process started: ids are given again. Only Linux tells the latter."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{pid}"
    return f"{pid} {stat.rpartition(')')[2].split()[19]}"


def _is_held(home: Home, run_id: str) -> bool | None:
    try:
        stream = (_folder(home, run_id) / _ALIVE).open("rb")
    except OSError:
        return None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def keep_result(home: Home, run_id: str, stage: str, result: dict[str, object]) -> None:
    """Keep what a stage made in this run, whatever later runs make."""
    write_json(_folder(home, run_id) / f"{stage}.json", result)


def note_training(home: Home, run_id: str, training: UnderWay) -> None:
    """Let those who wait find the log and the progress of the training that begins."""
    write_json(
        _folder(home, run_id) / _TRAINING,
        {name: str(path.relative_to(home.root)) for name, path in asdict(training).items()},
    )


def noted_training(home: Home, run_id: str) -> UnderWay | None:
    """The run's training that began last; None where there was none."""
    try:
        told = read_json(_folder(home, run_id) / _TRAINING)
    except StorageError:
        return None
    return UnderWay(home.root / str(told["work_dir"]), home.root / str(told["adapter"]))


def is_training(home: Home) -> bool:
    """Whether the process of any run lives that has begun a training and not ended it."""
    for file in (home.root / "jobs").glob(f"*/{_TRAINING}"):
        training = noted_training(home, file.parent.name)
        unfinished = training is not None and not training.adapter.is_dir()
        if unfinished and _is_held(home, file.parent.name):
            return True
    return False


def results(home: Home, run_id: str) -> dict[str, dict[str, object]]:
    """What the stages of a run made, by stage."""
    found: dict[str, dict[str, object]] = {}
    for file in sorted(_folder(home, run_id).glob("*.json")):
        try:
            found[file.stem] = read_json(file)
        except StorageError:
            continue
    return found


def _folder(home: Home, run_id: str) -> Path:
    return home.root / "jobs" / run_id

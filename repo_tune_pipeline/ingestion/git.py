"""The one place where a git process starts.

What a git process of ours can't do, whatever the repository or the server says: run a hook, a
filter, a diff driver, a file-system monitor or a credential helper; read any configuration but
that of our own mirror; speak another protocol than https and ssh; ask a question on the terminal;
fetch an object that nobody asked for; outlive its deadline or us.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.environment import git_environment, search_path

SUBCOMMANDS = frozenset(
    {"init", "ls-remote", "fetch", "ls-tree", "cat-file", "rev-parse", "rev-list", "diff-tree"}
)
NO_REPOSITORY = Path(os.devnull)
"""A git directory that is none: for commands that need no repository."""

_STDERR_KEPT = 4096
_OUTPUT_LIMIT = 16 * 1024 * 1024
_MEMORY_LIMIT = 1024 * 1024 * 1024
_LIMITED = frozenset({"ls-tree", "rev-parse", "rev-list", "diff-tree"})
"""What a small repository can make grow without end; mapped packs don't count."""


class GitFailure(Exception):
    """A git process ended badly; `message` is its own last words, safe to print."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        self.message = message
        self.timed_out = timed_out
        super().__init__(message)


class Deadline:
    """A point in time that several git processes of one ingestion share."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        return max(self._end - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end


class GitProcess:
    """A running git: read `stdout`, feed `stdin` if there is one, then `finish`."""

    def __init__(self, popen: subprocess.Popen[bytes], deadline: Deadline) -> None:
        self._popen = popen
        self._deadline = deadline
        self._expired = False
        self._stderr = bytearray()
        self._drain = threading.Thread(target=self._keep_stderr, daemon=True)
        self._timer = threading.Timer(deadline.remaining, self._expire)
        self._timer.daemon = True
        self._drain.start()
        self._timer.start()

    @property
    def stdout(self) -> IO[bytes]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    @property
    def stdin(self) -> IO[bytes]:
        assert self._popen.stdin is not None
        return self._popen.stdin

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            GitFailure: it exited with another code than 0, or was killed at the deadline.
        """
        code = self._popen.wait()
        self._drain.join(timeout=5)
        if self._expired:
            raise GitFailure(
                f"there was no end within {self._deadline.seconds:g} seconds", timed_out=True
            )
        if code:
            raise GitFailure(_last_words(bytes(self._stderr)) or f"git ended with code {code}")

    def close(self) -> None:
        """End the whole process group if it still runs, and let go of the pipes."""
        self._timer.cancel()
        if self._popen.poll() is None:
            self._kill()
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._popen.wait()
        self._drain.join(timeout=5)

    def _keep_stderr(self) -> None:
        assert self._popen.stderr is not None
        with self._popen.stderr as stream:
            while part := stream.read1(65536):  # pyright: ignore[reportAttributeAccessIssue]
                self._stderr += part
                del self._stderr[:-_STDERR_KEPT]

    def _expire(self) -> None:
        self._expired = True
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)


@contextmanager
def git_process(
    command: str,
    options: Sequence[str] = (),
    foreign: Sequence[str] | None = None,
    *,
    git_dir: Path,
    objects: Path | None = None,
    config: Mapping[str, str] | None = None,
    ssh_options: Sequence[str] = (),
    deadline: Deadline,
    feed: bool = False,
) -> Generator[GitProcess, None, None]:
    """Start one git process in a group of its own; it is dead when the block ends.

    Args:
        command: one of SUBCOMMANDS.
        options: our own arguments, never text from a user or a repository.
        foreign: arguments from elsewhere; they stand after ``--`` and can't become options.
        git_dir: a git directory of ours, or NO_REPOSITORY.
        objects: read objects from this folder in place of `git_dir`'s own.
        config: more configuration, handed over in the environment (credentials may be in it).
        ssh_options: for the ssh that git starts; they hold no blanks.
        deadline: when the process group is killed.
        feed: open a pipe to its standard input.

    Raises:
        SourceError: git isn't installed.
    """
    if command not in SUBCOMMANDS:
        raise ValueError(f"git {command} isn't among the commands that may run")
    arguments = [_git_program(), f"--git-dir={git_dir}", command, *options]
    if foreign is not None:
        arguments += ["--", *foreign]
    popen = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=git_environment(objects, config or {}, ssh_options),
        cwd="/",
        start_new_session=True,
    )
    if command in _LIMITED:
        with suppress(ProcessLookupError, PermissionError):
            limits = (_MEMORY_LIMIT, _MEMORY_LIMIT)
            resource.prlimit(popen.pid, resource.RLIMIT_DATA, limits)
    process = GitProcess(popen, deadline)
    try:
        yield process
    finally:
        process.close()


def run_git(
    command: str,
    options: Sequence[str] = (),
    foreign: Sequence[str] | None = None,
    *,
    git_dir: Path,
    objects: Path | None = None,
    config: Mapping[str, str] | None = None,
    ssh_options: Sequence[str] = (),
    deadline: Deadline,
) -> bytes:
    """Run git to its end and return its standard output, 16 MiB at most.

    Raises:
        GitFailure: as `GitProcess.finish`, or the output is larger.
        SourceError: git isn't installed.
    """
    with git_process(
        command,
        options,
        foreign,
        git_dir=git_dir,
        objects=objects,
        config=config,
        ssh_options=ssh_options,
        deadline=deadline,
    ) as process:
        output = process.stdout.read(_OUTPUT_LIMIT + 1)
        if len(output) > _OUTPUT_LIMIT:
            raise GitFailure("the answer is larger than 16 MiB")
        process.finish()
        return output


def printable(text: str) -> str:
    """`text` in one line, with control and terminal-steering characters escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _git_program() -> str:
    program = shutil.which("git", path=search_path())
    if program is None:
        raise SourceError(
            "The program git wasn't found.",
            "Install git (2.37 or later), or ingest a plain folder.",
        )
    return program


def _last_words(stderr: bytes) -> str:
    """The lines with which git says why it gave up, without its prefixes."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    fatal = [line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")]
    said = fatal or [line.removeprefix("error: ") for line in lines if line]
    return printable("; ".join(said[:2]))[:400].rstrip(".")

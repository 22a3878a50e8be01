"""The one place where a git process starts.

What a git process of ours can't do, whatever the repository or the server says: run a hook, a
filter, a diff driver, a file-system monitor or a credential helper; read any configuration but
that of our own mirror; speak another protocol than https and ssh; ask a question on the terminal;
fetch an object that nobody asked for; take for an option what isn't ours; outlive its deadline or
us.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.ingestion.commands import command_line, id_lines
from repo_tune_pipeline.ingestion.environment import git_environment, search_path
from repo_tune_pipeline.ingestion.processes import Deadline, GitFailure, GitProcess, printable

NO_REPOSITORY = Path(os.devnull)
"""A git directory that is none: for commands that need no repository."""

_OUTPUT_LIMIT = 16 * 1024 * 1024
_MEMORY_LIMIT = 512 * 1024 * 1024
_CPU_SHARE = 0.1
_LIMITED = frozenset({"ls-tree", "cat-file", "rev-parse", "rev-list", "diff-tree"})
"""What a small repository can make grow without end; mapped packs don't count."""

_OLDEST = (2, 37)
"""From here on git minds `http.curloptResolve`, by which checked addresses are pinned."""
_VERSION = re.compile(rb"git version (\d{1,9})\.(\d{1,9})[\w.-]*")
_VERSION_SECONDS = 30.0
_INSTALL = "Install git (2.37 or later), or ingest a plain folder."


@contextmanager
def git_process(
    command: str,
    options: Sequence[str] = (),
    foreign: Sequence[str] = (),
    *,
    git_dir: Path,
    objects: Path | None = None,
    config: Mapping[str, str] | None = None,
    ssh_options: Sequence[str] = (),
    deadline: Deadline,
    ids: Sequence[str] | None = None,
) -> Generator[GitProcess, None, None]:
    """Start one git process in a group of its own; it is dead when the block ends.

    Args:
        command: one that may run.
        options: our own arguments, never text from a user or a repository.
        foreign: arguments from elsewhere; they can't become options.
        git_dir: a git directory of ours, or NO_REPOSITORY.
        objects: read objects from this folder in place of `git_dir`'s own.
        config: more configuration, handed over in the environment (credentials may be in it).
        ssh_options: for the ssh that git starts.
        deadline: when the process group is killed; a command that only reads objects may use up
            a tenth of its seconds on the processor.
        ids: objects to ask for on its standard input.

    Raises:
        SourceError: git isn't installed or is too old, or a foreign argument looks like an option.
        ValueError: something that isn't foreign is none of what git may be asked.
    """
    lines = None if ids is None else id_lines(ids)
    arguments = command_line(command, options, foreign)
    program = _git_program()
    if command != "version":
        _version_of(program)
    popen = subprocess.Popen(
        [program, f"--git-dir={git_dir}", *arguments],
        stdin=subprocess.DEVNULL if lines is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=git_environment(objects, config or {}, ssh_options),
        cwd="/",
        start_new_session=True,
    )
    if command in _LIMITED:
        _limit(popen.pid, deadline)
    process = GitProcess(popen, deadline)
    try:
        if lines is not None:
            process.feed(lines)
        yield process
    finally:
        process.close()


def run_git(
    command: str,
    options: Sequence[str] = (),
    foreign: Sequence[str] = (),
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
        SourceError, ValueError: as `git_process`.
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


def git_version() -> str:
    """What git says of itself, such as ``git version 2.39.5``.

    Raises:
        SourceError: it isn't installed, is too old or doesn't answer.
    """
    return _version_of(_git_program())


def _git_program() -> str:
    program = shutil.which("git", path=search_path())
    if program is None:
        raise SourceError("The program git wasn't found.", _INSTALL)
    return program


@cache
def _version_of(program: str) -> str:
    try:
        said = run_git("version", git_dir=NO_REPOSITORY, deadline=Deadline(_VERSION_SECONDS))
    except (GitFailure, OSError) as failure:
        why = printable(str(failure))
        raise SourceError(f"The program {program} can't be used: {why}.", _INSTALL) from None
    found = _VERSION.match(said)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        shown = printable(said.decode("utf-8", "replace").strip())[:200]
        raise SourceError(f"The program {program} is too old: {shown}.", _INSTALL)
    return found[0].decode()


def _limit(pid: int, deadline: Deadline) -> None:
    seconds = max(1, int(deadline.seconds * _CPU_SHARE))
    with suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds + 1))

"""What git may be asked: these commands, with these options, in this order.

Text from elsewhere (a URL, a name, a path) only ever stands behind the mark that ends the options,
and is refused if it looks like one nevertheless.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from repo_tune_pipeline.errors import SourceError

SUBCOMMANDS = frozenset(
    {
        *("init", "ls-remote", "fetch", "ls-tree", "cat-file", "rev-parse", "rev-list"),
        *("diff-tree", "version"),
    }
)
_OPTIONS = frozenset(
    {
        *("--bare", "--quiet", "--template=", "--verify", "--parents", "--timestamp"),
        *("--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules"),
        *("--refmap=", "-r", "-t", "-z", "-l", "--full-tree", "--batch", "--buffer", "--stdin"),
        *("--root", "--no-renames", "--always", "--name-only", "-p", "-U3", "--full-index"),
        *("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/"),
    }
)
_COUNT = re.compile(r"--(?:depth|max-count)=[1-9][0-9]{0,8}")
_SSH_OPTION = re.compile(r"-o(?:HostName|HostKeyAlias)=[A-Za-z0-9.:\[\]-]+")
_ID = re.compile(r"[0-9a-f]{40}")
_ENDS_OPTIONS = {"rev-parse": "--end-of-options", "rev-list": "--end-of-options"}
"""These take ``--`` for the end of the revisions."""


def command_line(command: str, options: Sequence[str], foreign: Sequence[str]) -> list[str]:
    """`command` with its arguments, as they stand after ``git``.

    Raises:
        ValueError: a command or an option that isn't listed here.
        SourceError: a text from elsewhere looks like an option.
    """
    if command not in SUBCOMMANDS:
        raise ValueError(f"git {command} isn't among the commands that may run")
    for option in options:
        if option not in _OPTIONS and not _COUNT.fullmatch(option):
            raise ValueError(f"{option} isn't among the options that git may be given")
    for text in foreign:
        if text.startswith("-") or "\0" in text:
            raise SourceError(
                f"{text!a:.200} looks like an option, so git isn't given it.",
                "Name the source, its branch or its commit in another way.",
            )
    if not foreign:
        return [command, *options]
    return [command, *options, _ENDS_OPTIONS.get(command, "--"), *foreign]


def id_lines(ids: Sequence[str]) -> bytes:
    """Object ids as git reads them from its standard input.

    Raises:
        ValueError: one isn't the whole id of an object.
    """
    if not all(map(_ID.fullmatch, ids)):
        raise ValueError("only ids of objects may be fed to git")
    return "".join(f"{one}\n" for one in ids).encode()


def ssh_command(options: Sequence[str]) -> str:
    """The ssh that git starts, through a shell.

    Raises:
        ValueError: an option that is more than an address or a name.
    """
    if not all(map(_SSH_OPTION.fullmatch, options)):
        raise ValueError("ssh may only be given a host's address and the name of its key")
    return " ".join(["ssh", "-oBatchMode=yes", *options])

"""Real repositories for the tests, honest ones made by git and hostile ones object by object."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path

_IDENTITY = "Somebody <somebody@example.test> 1700000000 +0000"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.test",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.test",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}
Tree = Mapping[bytes, "bytes | Tree"]


class Repository:
    """A repository with a work tree under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode("utf-8", "replace").strip()

    def attempt(self, *arguments: str) -> None:
        """Run git as a user would, whatever comes of it."""
        subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ENVIRONMENT, capture_output=True, timeout=60
        )

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, str | bytes], message: str = "a change") -> str:
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def put(self, kind: str, data: bytes) -> str:
        """Write one object as it is, without any of git's checks."""
        whole = f"{kind} {len(data)}".encode() + b"\0" + data
        name = hashlib.sha1(whole).hexdigest()
        path = self.folder / ".git" / "objects" / name[:2] / name[2:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(whole, 1))
        return name

    def object_file(self, name: str) -> Path:
        """Where an object lies that isn't packed; made writable."""
        oid = self.git("rev-parse", name)
        path = self.folder / ".git" / "objects" / oid[:2] / oid[2:]
        path.chmod(0o644)
        return path

    def put_tree(self, items: list[tuple[str, bytes, str]]) -> str:
        """A tree of (mode, name, object id), in the given order."""
        rows = [
            f"{mode} ".encode() + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in items
        ]
        return self.put("tree", b"".join(rows))

    def put_files(self, tree: Tree) -> str:
        """The id of a tree of folders (mappings) and files (bytes), sorted as git sorts."""
        rows: list[tuple[bytes, tuple[str, bytes, str]]] = []
        for name, content in tree.items():
            if isinstance(content, bytes):
                rows.append((name, ("100644", name, self.put("blob", content))))
            else:
                rows.append((name + b"/", ("40000", name, self.put_files(content))))
        return self.put_tree([row for _, row in sorted(rows)])

    def put_commit(self, tree: str) -> str:
        """Commit a tree and let `main` stand on it."""
        text = f"tree {tree}\nauthor {_IDENTITY}\ncommitter {_IDENTITY}\n\nmade by hand\n"
        commit = self.put("commit", text.encode())
        heads = self.folder / ".git" / "refs" / "heads"
        heads.mkdir(parents=True, exist_ok=True)
        (heads / "main").write_text(commit + "\n")
        return commit


def marking_program(folder: Path) -> tuple[Path, Path]:
    """A program that leaves a marker file when it runs, and that marker."""
    program, marker = folder / "evil.sh", folder / "it-ran"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    return program, marker


def arm(repository: Repository, program: Path) -> None:
    """Let a repository name `program` wherever git looks for one."""
    settings = """
        core.fsmonitor core.sshCommand core.pager core.editor core.askPass core.gitProxy
        gpg.program uploadpack.packObjectsHook credential.helper diff.external
        filter.evil.smudge filter.evil.clean filter.evil.process diff.evil.textconv
        remote.origin.uploadpack alias.ls-tree alias.cat-file
    """
    for key in settings.split():
        repository.git("config", key, str(program))
    repository.git("config", "remote.origin.url", f"ext::{program}")
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "extensions.partialClone", "origin")
    for hook in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        (repository.folder / ".git" / "hooks" / hook).write_bytes(program.read_bytes())
        (repository.folder / ".git" / "hooks" / hook).chmod(0o755)


def put_bomb(repository: Repository, bottom: str) -> str:
    """A tree of a few hundred bytes a level, with 10^9 times what the tree `bottom` holds."""
    for _ in range(9):
        bottom = repository.put_tree([("40000", b"d%02d" % n, bottom) for n in range(10)])
    return bottom


def put_files_bomb(repository: Repository) -> str:
    """10^10 files."""
    blob = repository.put("blob", b"x = 1\n")
    ten = repository.put_tree([("100644", b"f%02d.py" % n, blob) for n in range(10)])
    return put_bomb(repository, ten)


def cut_pack(repository: Repository) -> None:
    """Pack all objects and cut the pack in the middle."""
    repository.git("gc", "--quiet")
    [pack] = (repository.folder / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])

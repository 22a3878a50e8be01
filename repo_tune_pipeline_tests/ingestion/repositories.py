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

"""The hunks of unified diffs, told apart by their counts and not by what their lines look like."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

_COMMIT = re.compile(rb"[0-9a-f]{40}")
_HEADER = re.compile(rb"@@ -\d{1,9}(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_LEAST, _MOST = 3, 40
_MAX_LINES = 500
_MAX_LINE_BYTES = 2_000


@dataclass
class Hunk:
    """One hunk; its rows are those of the file after the change, context included."""

    path: str
    start_line: int
    end_line: int
    lines: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def changed_lines(self) -> int:
        return sum(line[0] != " " for line in self.lines)

    @property
    def is_worth(self) -> bool:
        """Whether it has a fitting length and adds something other than blanks."""
        added = "".join(line[1:] for line in self.lines if line[0] == "+").split()
        removed = "".join(line[1:] for line in self.lines if line[0] == "-").split()
        return _LEAST <= len(self.lines) <= _MOST and bool(added) and added != removed


def hunks_of(lines: Iterable[bytes], paths: Collection[str]) -> dict[str, list[Hunk]]:
    """The hunks of each commit that change one of `paths` in place.

    A commit with hunks that aren't UTF-8, or are 500 lines and more in all, has none.
    """
    found: dict[str, list[Hunk]] = {}
    commit = path = ""
    changed = False
    hunk: Hunk | None = None
    old = new = room = 0
    for line in lines:
        if old > 0 or new > 0:
            mark = line[:1]
            old -= mark in (b" ", b"-")
            new -= mark in (b" ", b"+")
            if hunk is not None and commit in found and mark in (b" ", b"-", b"+"):
                room -= 1
                if room < 0 or not _add(hunk, line):
                    del found[commit]
        elif _COMMIT.fullmatch(line):
            commit = line.decode()
            found[commit], room = [], _MAX_LINES
        elif line.startswith(b"diff --git "):
            path, changed = "", True
        elif line.startswith((b"new file mode ", b"deleted file mode ")):
            changed = False
        elif line.startswith(b"+++ b/"):
            path = line[6:].removesuffix(b"\t").decode("utf-8", "replace")
        elif header := _HEADER.match(line):
            old = int(header[1] or 1)
            new = int(header[3] or 1)
            start = int(header[2])
            hunk = Hunk(path, start, start + new - 1) if changed and path in paths else None
            if hunk is not None and commit in found:
                found[commit].append(hunk)
    return found


def _add(hunk: Hunk, line: bytes) -> bool:
    """Whether a hunk may have this line."""
    if len(line) > _MAX_LINE_BYTES:
        return False
    try:
        hunk.lines.append(line.decode())
    except UnicodeDecodeError:
        return False
    return True

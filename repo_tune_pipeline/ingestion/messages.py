"""Messages of commits, and which of them say what a change is for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PREFIX = re.compile(r"^(?:\w+)(?:\([^)]*\))?!?:\s+")
_NUMBER = re.compile(r"\s*\(#\d+\)\s*$")
_NO_CHANGE = re.compile(
    r"^(?:merge|bump|release|prepare|version|wip|revert|fixup!|squash!|amend!|backport"
    r"|v?\d+(?:\.\d+)+)\b"
    r"|^(?:chore\((?:deps|release|version)[^)]*\)|style|revert|release|build\(deps[^)]*\))!?(?:\([^)]*\))?:"
    r"|\bversion v?\d"
    r"|\b(?:typos?|spelling|whitespaces?|format(?:ting|ted)?|reformat\w*|lint(?:er|ers|ing)?"
    r"|prettier|rustfmt|gofmt|isort|pre-commit|dependabot|renovate|changelog|copyright"
    r"|code style|address (?:review|comments?|feedback)|review comments?)\b",
    re.IGNORECASE,
)
_BOT = re.compile(rb"^(?:author|committer) [^\n]*(?:\[bot\]|\bbot@|-bot\b)", re.MULTILINE)
_TRAILER = re.compile(
    r"^(?:[A-Z][\w]*(?:-[\w]+)*-(?:by|on|id|to|from|link)|Cc|Fixes|Closes|Refs?|Link"
    r"|\(cherry picked from commit): ?.*$|^\(cherry picked from .*$",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"\s*<?[\w.+%-]+@[\w-]+(?:\.[\w-]+)+>?")
_LEAST_WORDS = 2
_MOST_SUBJECT = 200


@dataclass(frozen=True)
class Message:
    """`subject` as it was written; `body` without trailers. Neither has an e-mail address."""

    subject: str
    body: str


def read_message(commit: bytes) -> Message | None:
    """The message of a raw commit object; None if it says little, or a bot wrote it."""
    head, _, text = commit.partition(b"\n\n")
    if _BOT.search(head):
        return None
    try:
        first, _, rest = text.decode().strip().partition("\n")
    except UnicodeDecodeError:
        return None
    subject = _EMAIL.sub("", first).strip()
    bare = _NUMBER.sub("", _PREFIX.sub("", subject))
    words = re.findall(r"[^\W\d_]{2,}", bare)
    says = len(words) > _LEAST_WORDS or (len(words) == _LEAST_WORDS and len(bare) >= 12)
    printable = subject.isprintable() and len(subject) <= _MOST_SUBJECT
    if not says or not printable or _NO_CHANGE.search(subject) or _NO_CHANGE.search(bare):
        return None
    lines = [_EMAIL.sub("", line) for line in rest.splitlines() if not _TRAILER.match(line)]
    return Message(subject, "\n".join(lines).strip())

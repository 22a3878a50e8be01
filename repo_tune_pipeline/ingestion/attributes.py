"""What a repository's `.gitattributes` files say about its paths."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pathspec import GitIgnoreSpec

_ASKED = ("linguist-language", "linguist-generated", "linguist-vendored", "diff", "binary")
MAX_ATTRIBUTES_BYTES = 1_000_000


class Attributes:
    """Asked by path; among the lines that name a path the nearest folder's last one decides."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        """`contents` maps the path of each `.gitattributes` to its bytes."""
        self._rules = {path.rpartition("/")[0]: _rules(data) for path, data in contents.items()}
        self.value = cache(self._value)

    def _value(self, path: str, name: str) -> str | None:
        """`true`, `false` or the value of an attribute; None where nothing is said."""
        folder = path
        while folder and self._rules:
            folder = folder.rpartition("/")[0]
            inner = path[len(folder) :].lstrip("/")
            for spec, said in reversed(self._rules.get(folder, [])):
                if name in said and spec.match_file(inner):
                    return said[name]
        return None

    def reason(self, path: str) -> str:
        """The reason to drop `path`, or an empty string."""
        if self.value(path, "linguist-generated") == "true":
            return "generated"
        if self.value(path, "linguist-vendored") == "true":
            return "vendored"
        untextual = self.value(path, "binary") == "true" or self.value(path, "diff") == "false"
        return "binary" if untextual else ""

    def language(self, path: str) -> str:
        """What `linguist-language` says, or an empty string."""
        value = self.value(path, "linguist-language") or ""
        return "" if value in ("true", "false") else value


def _rules(data: bytes) -> list[tuple[GitIgnoreSpec, dict[str, str]]]:
    rules: list[tuple[GitIgnoreSpec, dict[str, str]]] = []
    for line in data[:MAX_ATTRIBUTES_BYTES].decode("utf-8", "replace").split("\n"):
        words = line.split()
        # git takes no negated pattern here, and macros name no path.
        if len(words) < 2 or words[0][0] in "#![":
            continue
        said = dict(_said(word) for word in words[1:])
        said = {name: value for name, value in said.items() if name in _ASKED}
        if not said or words[0].endswith("/"):
            continue
        try:
            rules.append((GitIgnoreSpec.from_lines([words[0]]), said))
        except ValueError:
            continue
    return rules


def _said(word: str) -> tuple[str, str]:
    if word[0] == "-":
        return word[1:], "false"
    name, equals, value = word.partition("=")
    return name, value if equals else "true"

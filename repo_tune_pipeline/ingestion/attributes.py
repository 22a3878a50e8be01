"""What a repository's `.gitattributes` files say about its paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from repo_tune_pipeline.ingestion.languages import language_named
from repo_tune_pipeline.ingestion.patterns import Pattern

MAX_ATTRIBUTES_BYTES = 1_000_000
_MOST_RULES = 500
_MOST_COMPARED = 10_000_000
_ASKED = ("linguist-language", "linguist-generated", "linguist-vendored", "diff")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[ \t\r]|$)')
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one path; None and an empty string where nothing is.

    `language` is one of Linguist's names; `binary` means that git shows no difference of it.
    """

    language: str = ""
    generated: bool | None = None
    vendored: bool | None = None
    binary: bool = False


NOTHING = Said()


class Attributes:
    """Asked by path; among the lines that name a path the nearest folder's last one decides.

    Macros aren't known, but `binary` is. At most 500 lines count, and once ten million parts of
    patterns were compared nothing more is said: a hostile repository could ask for hours.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        """`contents` maps the path of each `.gitattributes` to its bytes."""
        left = _MOST_RULES
        self._to_compare = _MOST_COMPARED
        self._known: dict[str, Said] = {}
        self._rules: dict[str, list[tuple[Pattern, dict[str, str]]]] = {}
        for path, data in sorted(contents.items(), key=lambda item: (item[0].count("/"), item[0])):
            rules = _rules(data)[:left]
            left -= len(rules)
            if rules:
                self._rules[path.rpartition("/")[0]] = rules[::-1]

    def of(self, path: str) -> Said:
        """What all lines together say of `path`."""
        if not self._rules:
            return NOTHING
        if path not in self._known:
            values = self._values(path)
            self._known[path] = _said(values) if values else NOTHING
        return self._known[path]

    def _values(self, path: str) -> dict[str, str]:
        values: dict[str, str] = {}
        folder = path
        while folder and self._to_compare > 0:
            folder = folder.rpartition("/")[0]
            rules = self._rules.get(folder, ())
            inner = path[len(folder) :].lstrip("/") if rules else ""
            depth = inner.count("/") + 1
            for pattern, said in rules:
                self._to_compare -= 1 if pattern.name_only else depth
                if not said.keys() <= values.keys() and pattern.matches(inner):
                    values = said | values
        return values


def _said(values: Mapping[str, str]) -> Said:
    return Said(
        language=language_named(values.get("linguist-language", "")),
        generated=_boolean(values.get("linguist-generated")),
        vendored=_boolean(values.get("linguist-vendored")),
        binary=values.get("diff") == "false",
    )


def _boolean(value: str | None) -> bool | None:
    return {"true": True, "false": False}.get(value or "")


def _rules(data: bytes) -> list[tuple[Pattern, dict[str, str]]]:
    rules: list[tuple[Pattern, dict[str, str]]] = []
    for line in data[:MAX_ATTRIBUTES_BYTES].decode("utf-8", "replace").split("\n"):
        name, _, rest = _split(line.lstrip(" \t\r"))
        # git takes no negated pattern here, and a macro's definition names no path.
        if not name or name.startswith(("#", "!", "[attr]")):
            continue
        said: dict[str, str] = {}
        for word in rest.split():
            said |= _setting(word)
        pattern = Pattern.parse(name) if said else None
        if pattern is not None:
            rules.append((pattern, said))
    return rules


def _split(line: str) -> tuple[str, str, str]:
    """The pattern of a line, which may be quoted as in C, and the rest."""
    quoted = _QUOTED.match(line)
    if quoted is None:
        name, _, rest = line.replace("\t", " ").partition(" ")
        return name.rstrip("\r"), "", rest
    return _ESCAPE.sub(_unescape, quoted[1]), "", line[quoted.end() :]


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code, 8) & 255) if len(code) == 3 else _ESCAPES.get(code, code)


def _setting(word: str) -> dict[str, str]:
    """One attribute of a line, if it is one that is asked for; `!` takes back what was said."""
    if word == "binary":
        return {"diff": "false"}
    name, equals, value = word.lstrip("-!").partition("=")
    if name not in _ASKED:
        return {}
    if word[0] == "-":
        return {name: "false"}
    return {name: "" if word[0] == "!" else value if equals else "true"}

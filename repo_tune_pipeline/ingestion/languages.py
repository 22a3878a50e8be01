"""Which language a file is written in, as Linguist's table tells it.

The names, types, extensions, file names and interpreters are those of github-linguist/linguist
(the version stands in `data/linguist.json`); which one an ambiguous extension means is decided by
a few markers in the content.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = (
    "C",
    "C#",
    "C++",
    "Elixir",
    "Go",
    "Haskell",
    "Java",
    "JavaScript",
    "Jupyter Notebook",
    "Kotlin",
    "Lua",
    "Markdown",
    "PHP",
    "Python",
    "ReScript",
    "Ruby",
    "Rust",
    "SQL",
    "Scala",
    "Shell",
    "Swift",
    "TSX",
    "TypeScript",
    "reStructuredText",
)
"""The languages whose files are kept."""

_SAME = {"PLpgSQL": "SQL", "PLSQL": "SQL", "TSQL": "SQL"}
_PREFERRED = {
    ".as": "ActionScript",
    ".bas": "BASIC",
    ".cake": "C#",
    ".cgi": "",
    ".fcgi": "",
    ".frag": "GLSL",
    ".inc": "",
    ".md": "Markdown",
    ".rs": "Rust",
    ".sc": "Scala",
    ".t": "Perl",
    ".gs": "JavaScript",
    ".re": "Reason",
    ".rpy": "Ren'Py",
    ".scd": "SuperCollider",
    ".spec": "RPM Spec",
    ".trigger": "Apex",
    ".txt": "Text",
}
_HEAD = 16_384
_CPP = re.compile(
    r"^[ \t]*(?:(?:template|namespace|class|using)\b|#[ \t]*include[ \t]*<[a-z_]+>"
    r"|(?:public|private|protected):|extern \"C\")|\bstd::|\bconstexpr\b",
    re.MULTILINE,
)
_OBJECTIVE_C = re.compile(r"^[ \t]*@(?:interface|class|protocol|property|end)\b", re.MULTILINE)
_PHP = re.compile(r"<\?(?:php|=)", re.IGNORECASE)
_SHEBANG = re.compile(rb"#![ \t]*(?:\S*/)?(\S+)(?:[ \t]+([^\r\n]*))?")
_VERSION = re.compile(r"[\d.]+$")


def extension(path: str) -> str:
    """The lower-case extension of the last part of `path`, dot included, or an empty string."""
    name = path.rpartition("/")[2].lower()
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem else ""


def language_of_path(path: str) -> str:
    """The language that a file's name or extension tells first, or an empty string.

    It may be any of Linguist's languages; where several share an extension, a kept one goes first.
    """
    name = path.rpartition("/")[2].lower()
    claims = _table()["filenames"].get(name) or _by_extension(name)
    return _first(claims)


def language_of_content(path: str, text: str) -> str:
    """As `language_of_path`, with what the text says where the extension leaves a choice."""
    guess, head, suffix = language_of_path(path), text[:_HEAD], extension(path)
    if suffix == ".h":
        if _OBJECTIVE_C.search(head):
            return "Objective-C"
        return "C++" if _CPP.search(head) else "C"
    starts = head.lstrip("\ufeff \t\r\n")
    if suffix in (".ts", ".rs", ".tsx", ".res") and starts.startswith(("<?xml", "<!DOC")):
        return "XML"
    if suffix == ".inc":
        return "PHP" if _PHP.search(head) else ""
    return guess


def language_named(name: str) -> str:
    """The language that a `linguist-language` attribute means, or an empty string."""
    wanted = name.lower().replace("-", " ")
    return _names().get(name.lower()) or _names().get(wanted, "")


def language_type(language: str) -> str:
    """`programming`, `data`, `markup` or `prose`; empty for an unknown language."""
    return _table()["types"].get(language, "data" if language == "XML" else "")


def kind_of(language: str) -> str:
    """Which reason fits a language that isn't kept."""
    is_data = language == "SVG" or language_type(language) == "data"
    return "data" if is_data else "language_not_supported"


def may_have_shebang(path: str) -> bool:
    """Whether only the content can tell: the name has no extension and isn't a dot file."""
    name = path.rpartition("/")[2]
    return "." not in name or extension(name) in (".cgi", ".fcgi")


def language_of_shebang(head: bytes) -> str:
    """The language of the interpreter named in a file's first line, or an empty string."""
    found = _SHEBANG.match(head[:256])
    if found is None:
        return ""
    program = found[1].decode("latin-1")
    if program == "env":
        words = (found[2] or b"").decode("latin-1").split()
        program = next((word for word in words if word[0] != "-" and "=" not in word), "")
        program = program.rpartition("/")[2]
    interpreters = _table()["interpreters"]
    claims = interpreters.get(program) or interpreters.get(_VERSION.sub("", program), ())
    return "OCaml" if program == "ocaml" else _first(claims)


def _by_extension(name: str) -> list[str]:
    """The claims on the longest extension of `name` that the table has."""
    extensions = _table()["extensions"]
    start = name.find(".", 1)
    while start > 0:
        suffix = name[start:]
        if suffix in _PREFERRED:
            return [_PREFERRED[suffix]]
        if suffix in extensions:
            return extensions[suffix]
        start = name.find(".", start + 1)
    return []


def _first(claims: list[str] | tuple[str, ...]) -> str:
    names = [_SAME.get(name, name) for name in claims]
    return next((name for name in names if name in LANGUAGES), names[0] if names else "")


@cache
def _table() -> dict[str, Any]:
    source = files("repo_tune_pipeline.ingestion").joinpath("data/linguist.json")
    return json.loads(source.read_text(encoding="utf-8"))


@cache
def _names() -> dict[str, str]:
    table = _table()
    names: dict[str, str] = {name.lower(): name for name in table["types"]}
    names.update(table["aliases"])
    return {alias: _SAME.get(name, name) for alias, name in names.items()}

"""Which language a file is written in, named as Linguist names it."""

from __future__ import annotations

import re

_BY_EXTENSION = {
    ".py": "Python",
    ".pyi": "Python",
    ".js": "JavaScript",
    ".mjs": "JavaScript",
    ".cjs": "JavaScript",
    ".jsx": "JavaScript",
    ".ts": "TypeScript",
    ".mts": "TypeScript",
    ".cts": "TypeScript",
    ".tsx": "TSX",
    ".rs": "Rust",
    ".go": "Go",
    ".java": "Java",
    ".md": "Markdown",
}
_BY_NAME = {
    "sconstruct": "Python",
    "sconscript": "Python",
    "wscript": "Python",
    "jakefile": "JavaScript",
}
_BY_INTERPRETER = {
    "python": "Python",
    "pypy": "Python",
    "node": "JavaScript",
    "nodejs": "JavaScript",
    "ts-node": "TypeScript",
    "deno": "TypeScript",
}
_SHEBANG = re.compile(rb"#![ \t]*(?:\S*/)?(\S+)(?:[ \t]+([^\r\n]*))?")
_VERSION = re.compile(r"[\d.]+$")

LANGUAGES = tuple(sorted(set(_BY_EXTENSION.values())))


def extension(path: str) -> str:
    """The lower-case extension of the last part of `path`, dot included, or an empty string."""
    name = path.rpartition("/")[2].lower()
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem else ""


def language_of_path(path: str) -> str:
    """The language that a file's extension or name tells, or an empty string."""
    name = path.rpartition("/")[2].lower()
    return _BY_EXTENSION.get(extension(path)) or _BY_NAME.get(name, "")


def may_have_shebang(path: str) -> bool:
    """Whether only the content can tell: the name has no extension and isn't a dot file."""
    name = path.rpartition("/")[2]
    return "." not in name


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
    return _BY_INTERPRETER.get(_VERSION.sub("", program), "")

"""Module names in the text of one import, as each language writes them."""

from __future__ import annotations

import re

_BLANKS = re.compile(r"\s+")


def python_imports(text: str) -> list[str]:
    """``import a.b, c as d`` is ``a.b`` and ``c``; ``from a import b as c`` is ``a.b``."""
    plain = re.sub(r"#[^\n]*|[()\\]", " ", text)
    words = _BLANKS.sub(" ", plain).strip()
    if words.startswith("from "):
        module, _, names = words[len("from ") :].partition(" import ")
        prefix = module.strip().replace(" ", "")
        joint = "" if prefix.endswith(".") else "."
        return [f"{prefix}{joint}{name}" for name in _names(names)]
    return _names(words.removeprefix("import "))


def _names(listing: str) -> list[str]:
    parts = (part.split(" as ")[0].strip() for part in listing.split(","))
    return [part for part in parts if part]


def quoted_import(text: str) -> list[str]:
    """A path in quotes or already without them, as JavaScript, TypeScript and Go have it."""
    name = text.strip("\"'`")
    return [name] if name else []


def java_imports(text: str) -> list[str]:
    """``import static a.B.c;`` is ``a.B.c``."""
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    name = plain.strip().rstrip(";").removeprefix("import").strip()
    name = name.removeprefix("static ")
    return [_BLANKS.sub("", name)]


def rust_imports(text: str) -> list[str]:
    """``a::{b, c::{self, D as E}}`` is ``a::b``, ``a::c`` and ``a::c::D``."""
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    names: list[str] = []
    prefixes = [""]
    for part, mark in re.findall(r"([^{},]*)([{},]|$)", plain):
        name = part.split(" as ")[0].strip()
        if mark == "{":
            prefixes.append(prefixes[-1] + name)
            continue
        if name:
            names.append((prefixes[-1] + name).removesuffix("::self"))
        if mark == "}" and len(prefixes) > 1:
            prefixes.pop()
    return [_BLANKS.sub("", name) for name in names]

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


def _uncommented(text: str) -> str:
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    return _BLANKS.sub(" ", plain).strip().rstrip(";").rstrip()


def kotlin_imports(text: str) -> list[str]:
    """``import a.b.C as D`` is ``a.b.C``."""
    return _names(_uncommented(text).removeprefix("import "))


def include(text: str) -> list[str]:
    """``<a/b.h>`` and ``"a/b.h"`` are ``a/b.h``."""
    name = text.strip('<>"')
    return [name] if name else []


def csharp_imports(text: str) -> list[str]:
    """``global using static a.B;`` and ``using C = a.B;`` are ``a.B``."""
    words = _uncommented(text).removeprefix("global ").removeprefix("using ")
    name = re.sub(r"^(?:(?:static|unsafe) )+", "", words).rpartition("=")[2].strip()
    return [name] if name else []


def php_imports(text: str) -> list[str]:
    r"""``use a\{B, C as D};`` is ``a\B`` and ``a\C``; a required file is its path."""
    if not text.startswith("use"):
        return quoted_import(text)
    words = re.sub(r"\b(?:function|const) ", "", _uncommented(text).removeprefix("use").lstrip())
    prefix, brace, group = words.partition("{")
    names = _names(group.rstrip("} ") if brace else words)
    return [prefix.strip() + name if brace else name for name in names]


def swift_imports(text: str) -> list[str]:
    """``@testable import A`` is ``A``; ``import struct A.B`` is ``A.B``."""
    words = _uncommented(text).rpartition("import ")[2].split(" ")
    return words[-1:]


def scala_imports(text: str) -> list[str]:
    """``import a.{B => C, D}, e.f._`` is ``a.B``, ``a.D`` and ``e.f._``."""
    words = _uncommented(text).removeprefix("import ")
    names: list[str] = []
    for prefix, group in re.findall(r"([^{},]+)(?:\{([^{}]*)\})?", words):
        parts = _names(re.sub(r"=>[^,]*", "", group)) if group else [""]
        names.extend(prefix.split(" as ")[0].strip() + part for part in parts)
    return [name for name in names if name]


def elixir_imports(text: str) -> list[str]:
    """``alias A.{B, C.D}`` is ``A.B`` and ``A.C.D``; ``import A, only: [b: 1]`` is ``A``."""
    words = re.match(r"\w+[\s(]+([\w.]+)(?:\{([^{}]*)\})?", text)
    if words is None:
        return []
    if words.group(2) is None:
        return [words.group(1)]
    return [words.group(1) + name for name in _names(_BLANKS.sub("", words.group(2)))]


def haskell_imports(text: str) -> list[str]:
    """``import safe qualified A.B as C (d)`` is ``A.B``."""
    name = re.match(
        r"import\s+(?:\{-.*?-\}\s*)?(?:safe\s+)?(?:qualified\s+)?(?:\"[^\"]*\"\s*)?([\w.]+)", text
    )
    return [name.group(1)] if name else []

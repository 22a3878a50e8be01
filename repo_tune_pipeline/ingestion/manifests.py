"""The licence that a package's manifest declares. Manifests are data: nothing in them is run."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from html import unescape
from typing import Any, Literal, cast

from repo_tune_pipeline.ingestion.expressions import joined, normal_expression
from repo_tune_pipeline.records import NO_ASSERTION

MAX_MANIFEST_BYTES = 200_000

_QUOTED = re.compile(r"[\"']([^\"'\n]{1,100})[\"']")
_GEMSPEC = re.compile(r"\.licen[cs]es?\s*=\s*(\[[^\]]{0,500}\]|[\"'][^\"'\n]{1,100}[\"'])")
_MIX = re.compile(r"\blicenses:\s*(\[[^\]]{0,500}\])")
_TROVE = "License :: "
_DOTS = 200
_PLAIN = re.compile(r"[^a-z0-9]+")
_NAMES = {
    "MIT": ("mit license", "expat", "expat license"),
    "MIT-0": ("mit no attribution license mit 0",),
    "Apache-2.0": (
        *("apache 2", "apache 2 0", "apache license 2 0", "apache license version 2 0"),
        *("apache software license", "apache software license version 2 0", "asl 2 0"),
        *("apache software license 2 0", "apache v2", "apachev2", "apache license 2"),
    ),
    "BSD-2-Clause": ("bsd 2 clause license", "simplified bsd license", "2 clause bsd license"),
    "BSD-3-Clause": (
        *("bsd 3 clause license", "new bsd license", "3 clause bsd license"),
        *("modified bsd license", "revised bsd license", "bsd 3 clause new or revised license"),
    ),
    "BSL-1.0": ("boost software license 1 0 bsl 1 0", "boost software license 1 0"),
    "CC0-1.0": ("cc0 1 0 universal cc0 1 0 public domain dedication", "cc0"),
    "EPL-2.0": ("eclipse public license 2 0 epl 2 0", "eclipse public license 2 0"),
    "ISC": ("isc license", "isc license iscl"),
    "MPL-2.0": ("mozilla public license 2 0 mpl 2 0", "mozilla public license 2 0"),
    "PSF-2.0": ("python software foundation license", "psf", "psf license"),
    "Unlicense": ("unlicense unlicense",),
    "GPL-2.0-only": ("gnu general public license v2 gplv2", "gplv2", "gpl 2", "gpl v2"),
    "GPL-2.0-or-later": ("gnu general public license v2 or later gplv2",),
    "GPL-3.0-only": ("gnu general public license v3 gplv3", "gplv3", "gpl 3", "gpl v3"),
    "GPL-3.0-or-later": ("gnu general public license v3 or later gplv3", "gplv3+"),
    "AGPL-3.0-only": ("gnu affero general public license v3", "agplv3"),
    "LGPL-3.0-only": ("gnu lesser general public license v3 lgplv3", "lgplv3"),
}
_SPELLINGS = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}


def is_manifest_name(path: str) -> bool:
    """Whether `path` is by its name a manifest that may declare a licence."""
    name = path.rpartition("/")[2]
    return name in _READERS or name.endswith(".gemspec")


def license_of_manifest(name: str, text: str) -> str:
    """What a manifest declares: an expression, NOASSERTION, or empty where it says nothing."""
    reader = _READERS.get(name, _gemspec)
    try:
        declared = reader(text)
    except (ValueError, RecursionError):
        return NO_ASSERTION
    return _expression(declared) if isinstance(declared, str) else _joined(declared, "OR")


def _joined(names: Iterable[object], operator: Literal["AND", "OR"]) -> str:
    return joined({_expression(name) for name in names if isinstance(name, str)}, operator)


def _expression(declared: str) -> str:
    """An SPDX expression out of an expression or of a name that people use."""
    declared = " ".join(declared[:500].split())
    if not declared:
        return ""
    plain = _PLAIN.sub(" ", declared.lower()).strip().removeprefix("the ")
    if plain in _SPELLINGS:
        return _SPELLINGS[plain]
    return normal_expression(declared.replace("/", " OR "), known=True)


def _package_json(text: str) -> str | list[object]:
    data = _mapping(json.loads(text))
    declared = data.get("license") or data.get("licenses") or ""
    several = cast(list[object], declared) if isinstance(declared, list) else [declared]
    return [_mapping(one).get("type", "") if isinstance(one, dict) else one for one in several]


def _cargo(text: str) -> str:
    package = _mapping(_toml(text).get("package"))
    workspace = _mapping(_mapping(_toml(text).get("workspace")).get("package"))
    return _text(package.get("license")) or _text(workspace.get("license"))


def _pyproject(text: str) -> str:
    data = _toml(text)
    project = _mapping(data.get("project"))
    tool = _mapping(_mapping(data.get("tool")).get("poetry"))
    for declared in (project.get("license"), tool.get("license")):
        named = _text(declared) or _text(_mapping(declared).get("text"))
        if named and "\n" not in named.strip():
            return named
    return _classified(project.get("classifiers")) or _classified(tool.get("classifiers"))


def _setup_cfg(text: str) -> str:
    """Line by line: the standard library's reader takes the square of the time on bad input."""
    section = key = ""
    values: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            section, key = line.strip(), ""
        elif section == "[metadata]" and line[:1] not in ("", " ", "\t", "#", ";"):
            name, _, value = line.partition("=" if "=" in line else ":")
            key = name.strip().lower()
            values[key] = [value.strip()]
        elif key and line.strip():
            values[key].append(line.strip())
    declared = values.get("license", [""])
    return declared[0] or _classified(values.get("classifiers", values.get("classifier")))


def _classified(classifiers: object) -> str:
    """The licence that a trove classifier names."""
    rows = cast(list[object], classifiers) if isinstance(classifiers, list) else []
    named = {_text(row).rpartition(" :: ")[2] for row in rows if _text(row).startswith(_TROVE)}
    return _joined(named - {"OSI Approved"}, "AND")


def _pom(text: str) -> str:
    first, *rest = text.split("<!--")
    plain = first + "".join(part.partition("-->")[2] for part in rest)
    inside = plain.partition("<license>")[2].partition("</license>")[0]
    return unescape(inside.partition("<name>")[2].partition("</name>")[0])


def _gemspec(text: str) -> list[object]:
    found = _GEMSPEC.search(text)
    return list[object](_QUOTED.findall(found[1])) if found else []


def _mix(text: str) -> str:
    found = _MIX.search(text)
    return _joined(_QUOTED.findall(found[1]), "AND") if found else ""


def _toml(text: str) -> dict[str, Any]:
    if any(line.count(".") > _DOTS for line in text.split("\n")):
        raise ValueError("a key of very many parts, which costs its square to read")
    return tomllib.loads(text)


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_READERS: dict[str, Callable[[str], str | list[object]]] = {
    "Cargo.toml": _cargo,
    "composer.json": _package_json,
    "mix.exs": _mix,
    "package.json": _package_json,
    "pom.xml": _pom,
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
}

"""Under which licence a file stands, as an SPDX expression."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, cast

from license_expression import ExpressionError, LicenseWithExceptionSymbol, get_spdx_licensing

from repo_tune_pipeline.ingestion.languages import LANGUAGES, language_of_path, language_type
from repo_tune_pipeline.records import NO_ASSERTION

MAX_LICENSE_BYTES = 200_000

_HEADER = re.compile(
    r"SPDX-License-Identifier:[ \t]*"
    r"(\(*[A-Za-z0-9][\w.+\-]*\)*(?:[ \t]+(?:AND|OR|WITH)[ \t]+\(*[A-Za-z0-9][\w.+\-]*\)*)*)"
)
_NAME = re.compile(
    r"(?:un)?licen[cs]e(?:[-_.](?P<which>[\w.\-]+))?|copying(?:\.(?:txt|md|lesser))?",
    re.IGNORECASE,
)
_DOCUMENT_ENDINGS = ("md", "txt", "rst")

_NOISE = re.compile(r"[\s#/*;\-]+")
_GNU = re.compile(
    r"under the terms of (?:version \d )?(?:of )?the gnu (affero |lesser |library )?general"
)
_SENTENCES = (
    ("Apache-2.0", "licensed under the apache license, version 2.0"),
    ("MPL-2.0", "subject to the terms of the mozilla public license, v. 2.0"),
)
_GNU_NAMES = {"affero ": "AGPL-3.0", "lesser ": "LGPL", "library ": "LGPL-2.0"}

# Phrases of the licences' own texts; the first row of which all phrases occur decides.
_TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("AGPL-3.0-only", ("gnu affero general public license version 3",)),
    ("LGPL-3.0-only", ("gnu lesser general public license version 3",)),
    ("LGPL-2.1-only", ("gnu lesser general public license version 2.1",)),
    ("GPL-3.0-only", ("gnu general public license version 3",)),
    ("GPL-2.0-only", ("gnu general public license version 2",)),
    ("Apache-2.0", ("apache license version 2.0, january 2004",)),
    ("Apache-2.0", ("licensed under the apache license, version 2.0",)),
    ("MPL-2.0", ("mozilla public license version 2.0",)),
    ("EPL-2.0", ("eclipse public license - v 2.0",)),
    ("BSL-1.0", ("boost software license - version 1.0",)),
    ("CC0-1.0", ("cc0 1.0 universal",)),
    ("Unlicense", ("free and unencumbered software released into the public domain",)),
    (
        "MIT",
        (
            "permission is hereby granted, free of charge, to any person obtaining a copy",
            "the above copyright notice and this permission notice",
        ),
    ),
    (
        "MIT-0",
        ("permission is hereby granted, free of charge, to any person obtaining a copy",),
    ),
    (
        "ISC",
        (
            "permission to use, copy, modify, and/or distribute this software for any purpose",
            "provided that the above copyright notice",
        ),
    ),
    (
        "0BSD",
        ("permission to use, copy, modify, and/or distribute this software for any purpose",),
    ),
    (
        "BSD-3-Clause",
        (
            "redistribution and use in source and binary forms",
            "to endorse or promote products derived",
        ),
    ),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms",)),
)


def license_of_header(text: str, language: str = "") -> str:
    """The expression that the first 4,096 characters of a file name, or an empty string.

    An `SPDX-License-Identifier:` decides; else, outside prose, a licence's customary sentence.
    """
    found = _HEADER.search(text, 0, 4096)
    if found is not None and found[1].count("(") == found[1].count(")"):
        return normal_expression(" ".join(found[1].split()))
    if language_type(language) == "prose":
        return ""
    plain = _NOISE.sub(" ", text[:4096]).lower()
    gnu = _GNU.search(plain)
    if gnu is not None:
        return _gnu_license(gnu[1] or "", plain[gnu.start() :])
    return next((name for name, sentence in _SENTENCES if sentence in plain), "")


def _gnu_license(kind: str, plain: str) -> str:
    name = _GNU_NAMES.get(kind, "GPL")
    if "-" not in name:
        name += next(
            (f"-{v}" for v in ("3.0", "2.1") if f"version {v.removesuffix('.0')}" in plain), "-2.0"
        )
    return name + ("-or-later" if "any later version" in plain else "-only")


def normal_expression(expression: str) -> str:
    """The expression as SPDX spells it; NOASSERTION if it can't be understood."""
    try:
        return str(_licensing().parse(expression))
    except ExpressionError:
        return NO_ASSERTION


def is_allowed(expression: str, allow: Collection[str]) -> bool:
    """Whether the licences of `allow` suffice: one side of an OR, both of an AND.

    An exception (WITH) only ever permits more than its licence does.
    """
    try:
        parsed: Any = _licensing().parse(expression)
    except ExpressionError:
        return False
    return parsed is not None and _satisfied(parsed, {name.lower() for name in allow})


def _satisfied(node: Any, allow: set[str]) -> bool:
    if isinstance(node, LicenseWithExceptionSymbol):
        node = cast(Any, node).license_symbol
    parts = [_satisfied(part, allow) for part in getattr(node, "args", ())]
    if not parts:
        return str(node).lower() in allow
    return any(parts) if type(node).__name__ == "OR" else all(parts)


@cache
def _licensing() -> Any:
    return cast(Any, get_spdx_licensing())


def is_license_name(path: str) -> bool:
    """Whether `path` is by its name a licence text, which governs its folder and those below."""
    name = path.rpartition("/")[2]
    if _NAME.fullmatch(name) is None:
        return False
    language = language_of_path(name)
    return language_type(language) == "prose" or not (
        language in LANGUAGES or language_type(language) == "data"
    )


class Governing:
    """The licence that the nearest folder with a licence text gives a path."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts` maps the paths of licence texts to what they say."""
        folders: dict[str, dict[str, str]] = {}
        for path, text in texts.items():
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = text
        self._licenses = {folder: license_of_texts(found) for folder, found in folders.items()}
        self.root = self._licenses.get("", NO_ASSERTION)

    def of(self, path: str) -> str:
        while path:
            path = path.rpartition("/")[0]
            if path in self._licenses:
                return self._licenses[path]
        return NO_ASSERTION


def license_of_texts(texts: Mapping[str, str]) -> str:
    """The licence that one folder's licence texts (name → text) give it.

    Texts with a plain name (`LICENSE`, `COPYING.md`) decide, and all of them apply (AND). Where
    there are none, each text names its licence (`LICENSE-MIT` beside `LICENSE-APACHE`), and by
    convention a user may choose (OR). One that isn't recognised makes it NOASSERTION.
    """
    plain = {name: text for name, text in texts.items() if not _names_its_license(name)}
    licenses = sorted({_recognise(text) for text in (plain or texts).values()})
    if not licenses or NO_ASSERTION in licenses:
        return NO_ASSERTION
    return (" AND " if plain else " OR ").join(licenses)


def _names_its_license(name: str) -> bool:
    match = _NAME.fullmatch(name)
    which = match["which"] if match else None
    return which is not None and which.lower() not in _DOCUMENT_ENDINGS


def _recognise(text: str) -> str:
    plain = " ".join(text.lower().split())
    for license_id, phrases in _TEXTS:
        if all(phrase in plain for phrase in phrases):
            return license_id
    return NO_ASSERTION

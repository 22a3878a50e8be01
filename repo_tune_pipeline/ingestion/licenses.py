"""Under which licence a file stands, as an SPDX expression."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def license_of_header(text: str) -> str:
    """The expression of an `SPDX-License-Identifier:` in a file's first 4,096 characters."""
    found = _HEADER.search(text, 0, 4096)
    if found is None or found[1].count("(") != found[1].count(")"):
        return ""
    return " ".join(found[1].split())


def is_license_name(path: str) -> bool:
    """Whether `path` is a licence text at the root of a repository."""
    return _NAME.fullmatch(path) is not None


def license_of_texts(texts: Mapping[str, str]) -> str:
    """The licence that the root's licence texts (name → text) give a whole repository.

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

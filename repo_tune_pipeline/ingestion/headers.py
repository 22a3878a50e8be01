"""The licence that a file names in its own first lines."""

from __future__ import annotations

import re

from repo_tune_pipeline.ingestion.expressions import normal_expression
from repo_tune_pipeline.ingestion.languages import language_type
from repo_tune_pipeline.records import NO_ASSERTION

_HEAD = 4_096
_SPDX = re.compile(
    r"SPDX-License-Identifier:[ \t]*"
    r"(\(*[A-Za-z0-9][\w.+\-]*\)*(?:[ \t]+(?:AND|OR|WITH)[ \t]+\(*[A-Za-z0-9][\w.+\-]*\)*)*)"
)
_NOISE = str.maketrans(dict.fromkeys("#/*;%-", " "))
_CLUES = ("gpl", "prohibited", "confidential", "commercial use", "commercial purpose")
_GNU = re.compile(
    r"under the terms of (?:version \d )?(?:of )?the gnu (?P<kind>affero |lesser |library )?general"
)
_GNU_IN_COMMENT = re.compile(
    r"\b(?:under|terms of|subject to|licen[cs]e[sd]?|covered by|distributed|released)\b"
    r"[^.]{0,80}?\b(?:gnu )?(?P<kind>affero |lesser |library )?"
    r"(?:general public licen[cs]e|(?P<short>[al]?)gpl(?=\b|v? ?\d))(?! compatible)"
)
_GNU_VERSION = re.compile(r"(?:version |\bv\.? ?|gpl ?v?|licen[cs]e,? v?)([123])(?:\.([01]))?\b")
_GNU_KINDS = {"affero ": "AGPL", "a": "AGPL", "lesser ": "LGPL", "library ": "LGPL", "l": "LGPL"}
_SENTENCES = (
    ("Apache-2.0", "licensed under the apache license, version 2.0"),
    ("MPL-2.0", "subject to the terms of the mozilla public license, v. 2.0"),
)
_IN_COMMENT = (
    ("BUSL-1.1", "business source license"),
    ("CC-BY-NC-4.0", "attribution noncommercial"),
    ("CC-BY-SA-4.0", "attribution sharealike"),
    ("CDDL-1.0", "common development and distribution license"),
    ("EPL-2.0", "eclipse public license"),
    ("Elastic-2.0", "elastic license"),
    ("MPL-2.0", "mozilla public license"),
    ("SSPL-1.0", "server side public license"),
    (NO_ASSERTION, "is strictly prohibited"),
)
_FORBIDS = re.compile(
    r"proprietary and confidential|confidential and proprietary"
    r"|\b(?:non ?|not for |not be used for (?:any )?)commercial (?:use|purpose)"
    r"|\bcommercial use (?:is )?(?:not|prohibited|forbidden|requires)|\bpersonal use only\b"
)
_BLOCKS = {
    '"""': '"""',
    "'''": "'''",
    "/*": "*/",
    "{-": "-}",
    "(*": "*)",
    "<!--": "-->",
    "--[[": "]]",
    "=begin": "=end",
}
_LINE = ("#", "//", "--", ";", "%", "<?php", "..", "'use strict'", '"use strict"')


def license_of_header(text: str, language: str = "") -> str:
    """The expression that the first 4,096 characters of a file name, or an empty string.

    An `SPDX-License-Identifier:` decides; else, outside prose, a licence's customary sentence, or
    its name in the comment that the file begins with. That no use is allowed is NOASSERTION.
    """
    head = text[:_HEAD]
    lowered = head.lower()
    comment = first_comment(lowered)
    if "licen" not in lowered and not any(clue in comment for clue in _CLUES):
        return ""
    found = _SPDX.search(head)
    if found is not None and found[1].count("(") == found[1].count(")"):
        return normal_expression(" ".join(found[1].split()))
    if language_type(language) == "prose":
        return ""
    plain, comment = _plain(lowered), _plain(comment)
    if _FORBIDS.search(comment):
        return NO_ASSERTION
    gnu = _GNU.search(plain)
    if gnu is None and ("gpl" in comment or "general public" in comment):
        gnu = _GNU_IN_COMMENT.search(comment)
    if gnu is not None:
        return _gnu_license(gnu)
    named = (name for name, sentence in _SENTENCES if sentence in plain)
    return next(named, "") or next((name for name, words in _IN_COMMENT if words in comment), "")


def _plain(lowered: str) -> str:
    """A text without the marks of comments, its words one blank apart."""
    return " ".join(lowered.translate(_NOISE).split())


def _gnu_license(found: re.Match[str]) -> str:
    parts = found.groupdict()
    kind = _GNU_KINDS.get(parts["kind"] or parts.get("short") or "", "GPL")
    after = found.string[found.start() : found.end() + 300]
    version = _GNU_VERSION.search(after)
    if version is None:
        return {"GPL": "GPL-1.0", "LGPL": "LGPL-2.0", "AGPL": "AGPL-3.0"}[kind] + "-or-later"
    later = "any later version" in after or "or later" in after or "or newer" in after
    name = f"{kind}-{version[1]}.{version[2] or '0'}"
    return f"{name}-{'or-later' if later else 'only'}"


def first_comment(head: str) -> str:
    """The comments and the documentation before the first line of code."""
    lines: list[str] = []
    closing = ""
    for line in head.split("\n"):
        bare = line.strip()
        if closing:
            closing = "" if closing in bare else closing
        elif opening := next((mark for mark in _BLOCKS if bare.startswith(mark)), ""):
            inner = bare[len(opening) :]
            closing = "" if _BLOCKS[opening] in inner else _BLOCKS[opening]
        elif bare and not bare.startswith(_LINE):
            break
        lines.append(bare)
    return "\n".join(lines)

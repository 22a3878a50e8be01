"""Which docstrings and comments say something that can be learned from."""

from __future__ import annotations

import re
from functools import lru_cache

from repo_tune_pipeline.sft.words import words_of

MIN_DOC_WORDS = 3
_MAX_LOOKED_AT = 4_000
_BOILERPLATE = re.compile(
    r"""\A\s*(?:
        (?:getter|setter|accessor|constructor|destructor)s?\b(?:\s+(?:for|of)\b.*)?\s*\Z
      | (?:getter|setter)s?\s+for\b
      | [^\n]*\b(?:auto-?\s?generated|generated\s+by|do\s+not\s+edit)\b
      | regression\s+tests?\s+for\s+(?:issue|bug)?\s*\#?\d+\.?\s*\Z
      | @?(?:todo|fixme|xxx|hack)\b
      | \{?@inheritdoc\}?
      | see\s+(?:base|parent|super)\s*class\b
      | (?:inherited|overridden|copied)\s+from\b
      | (?:eslint|jshint|jslint|globals?|prettier-ignore|noqa|pylint|flake8|ruff|mypy|nolint)\b
      | type:\s*ignore|@ts-|ts-ignore|istanbul\b|c8\s+ignore|go:|\+build\b|region\b|endregion\b
      | (?:copyright|spdx-license-identifier|licensed\s+under|\(c\)\s+\d{4})\b
      | (?:=+|-+|\*+|\#+)\s*[\w ]{0,40}\s*(?:=+|-+|\*+|\#+)\s*\Z
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_LICENSE = re.compile(
    r"permission is hereby granted|licensed under the|without warrant(?:y|ies)|all rights reserved"
    r"|redistributions? (?:of|in) source",
    re.IGNORECASE,
)
_LINK = re.compile(r"<?https?://\S+|@(?:see|link)\b|\bsee\b|[\[\]()<>*-]", re.IGNORECASE)
_CODE_LINE = re.compile(
    r"""\s*(?:
        .*[;{}]\s*$
      | .*\)\s*$(?<=\w\(\))
      | (?:let|const|var|if|for|while|return|import|from|def|fn|func|else|switch|case|open|elif)\b
        .*[=({:\[]
      | </?[A-Za-z][\w.]*[^>]*>\s*$
      | [\w.\[\]"']+\s*(?::?=|->|\|>)\s*\S
      | [|})\]>]
    )""",
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FILLER_LIST = """
    a an the this that of for to in on and or is are it its with from by as at be get gets
    returns return set sets class function method module test tests new object instance value
    type param params none null void helper
"""
_FILLER = frozenset(_FILLER_LIST.split())


@lru_cache(maxsize=1_024)
def docstring_problem(docstring: str, symbol: str) -> str:
    """`no_docstring`, `boilerplate_docstring`, or "" for one that says something.

    Boilerplate is what matches a known phrase, has fewer than three words, has no word that the
    symbol's own name doesn't have, or is a licence, a link or code that was commented out.
    """
    text = docstring.strip()[:_MAX_LOOKED_AT]
    if not text:
        return "no_docstring"
    if _BOILERPLATE.match(text) or _LICENSE.search(text) or _is_code(text):
        return "boilerplate_docstring"
    plain = _LINK.sub(" ", text)
    least = MIN_DOC_WORDS if "://" not in text else 2 * MIN_DOC_WORDS
    if len(_WORD.findall(plain)) < least:
        return "boilerplate_docstring"
    return "" if words_of(plain) - words_of(symbol) - _FILLER else "boilerplate_docstring"


def _is_code(text: str) -> bool:
    """Whether most lines, and the first, look like code that was commented out."""
    lines = [line for line in text.split("\n") if line.strip()]
    code = sum(_CODE_LINE.match(line) is not None for line in lines)
    return _CODE_LINE.match(lines[0]) is not None and 2 * code > len(lines)

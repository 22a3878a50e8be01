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
      | (?:regression\s+)?tests?\s+(?:for|(?:created\s+)?from|to\s+reproduce)\s+(?:issue|bug)?
        \s*\#?\d+\.?\s*\Z
      | (?:created\s+(?:to|in|for)|in\s+response\s+to|(?:issue|bug)\s+\#?\d+)\b
      | (?:for\s+(?:internal\s+)?use|visible\s+for|(?:public|private|protected)\s+for)\b
      | (?:suppress(?:ion|es)?|don't|do\s+not|note|caution|also|then)\b|begin:|first,|/\*|\S+\s*\Z
      | add\s+(?:an?|the)\s+(?:\w+\s+)?(?:type|function|hook|component)\b
      | this\s+(?:test|class|method)\s+also\b
      | [^\n]*\bat\s+the\s+end\s+of\s+the\s+(?:file|module)\b
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
_ISSUE = re.compile(r"https?://\S*/(?:issues?|pulls?|bugs?|browse_thread)[/?#]", re.IGNORECASE)
_LICENSE = re.compile(
    r"permission is hereby granted|licensed under the|without warrant(?:y|ies)|all rights reserved"
    r"|redistributions? (?:of|in) source",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"(?<![\w/.'\"`-])I(?:'\w+)?\s[a-z]")
_UNSEEN = re.compile(
    r"^[ \t]*(?:@(?:author|since|version|date)\b.*|:(?:internal|meta [\w-]+):[ \t]*)(?:\n|\Z)",
    re.MULTILINE,
)
_VERSIONS = re.compile(
    r"^([ \t]*)\.\. (?:versionadded|versionchanged|deprecated)::.*"
    r"(?:\n[ \t]*|\n\1[ \t]+\S.*)*(?:\n|\Z)",
    re.MULTILINE,
)
_DRAWN = r"(?:[-=*#~]{3,}|[\u2500-\u257f]{2,})"
_RULE = re.compile(
    rf"^([ \t]*){_DRAWN}[ \t]+(?=\S)|(?<=\S)[ \t]+{_DRAWN}[ \t]*$"
    r"|^[ \t]*[\u2500-\u257f]{2,}[ \t]*$"
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
def told(docstring: str) -> str:
    """A docstring without what nobody can tell from the code: authors, dates and versions.

    Lines drawn around a title go, too, and the title is a paragraph of its own.
    """
    text = _VERSIONS.sub("", _UNSEEN.sub("", docstring))
    lines: list[str] = []
    for line in text.split("\n"):
        title = _RULE.sub(r"\1", line)
        lines += [line] if title == line else [title, ""] if title.strip() else []
    return "\n".join(lines).strip()


@lru_cache(maxsize=1_024)
def docstring_problem(docstring: str, symbol: str) -> str:
    """`no_docstring`, `boilerplate_docstring`, or "" for one that says something.

    Boilerplate is what matches a known phrase, has fewer than three words, has no word that the
    symbol's own name doesn't have, is its author's memory or leans on an issue elsewhere, or is a
    licence, a link or code that was commented out.
    """
    text = docstring.strip()[:_MAX_LOOKED_AT]
    if not text:
        return "no_docstring"
    untold = (_PERSONAL, _ISSUE, _LICENSE)
    if _BOILERPLATE.match(text) or _is_code(text) or any(each.search(text) for each in untold):
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

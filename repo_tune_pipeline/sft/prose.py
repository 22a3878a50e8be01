"""English from facts: lists of names, and a docstring's first paragraph."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import zip_longest

_FIELD = re.compile(
    r"""\s*(?:
        [@\\][A-Za-z]\w*             # @param, \param
      | :[A-Za-z]+(?:\s[^:`]*)?:(?=\s|$)   # :param x:, but not the role :class:
      | \.\.\s                       # reStructuredText directives
      | >>>
      | ```
      | \#+\s                        # Markdown headings inside Rust's docs
      | [-=~*_+]{3,}\s*$             # rules and underlines
      | (?:Args?|Arguments|Parameters|Params|Attributes|Returns?|Raises|Yields|Examples?|Usage
          |Notes?|See\ also|Warnings?|Throws|Errors|Panics|Safety)\s*:?\s*$
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_LINK = re.compile(r"\{@(?:link|linkplain|code|literal)\s+([^}]*)\}")
_TAG = re.compile(
    r"</?(?:p|br|b|i|em|code|pre|ul|ol|li|tt|strong)\s*/?>|</?a(?:\s[^>]*)?>", re.IGNORECASE
)
_BROKEN = re.compile(r" *\. *(?=\w)")
_ROLE = re.compile(r":[a-z:]+:`[~.]?([^`<]*?)(?:\s*<[^`>]*>)?`|``([^`]+)``")


def first_paragraph(docstring: str) -> str:
    """A docstring's first paragraph on one line, without tags and field lists; often ``""``."""
    lines: list[str] = []
    for line in docstring.strip().split("\n"):
        if not line.strip() or _FIELD.match(line):
            break
        lines.append(line.strip())
    text = " ".join(_joined(lines).split())
    text = _TAG.sub("", _LINK.sub(_linked, text))
    text = _ROLE.sub(_code, text)
    return " ".join(html.unescape(text).split())


def _code(match: re.Match[str]) -> str:
    """A role's name or label; a dotted name that was broken over two lines is whole again."""
    shown = match[1] or match[2]
    return f"`{_BROKEN.sub('.', shown) if match[1] else shown}`"


def _joined(lines: list[str]) -> str:
    """The lines as one; a line that ends before it had to is a sentence of its own."""
    width = max(map(len, lines), default=0)
    told: list[str] = []
    for line, after in zip_longest(lines, lines[1:], fillvalue=""):
        word = after.split(" ", 1)[0]
        early = word[:1].isupper() and len(line) + 1 + len(word) < width
        ended = line.endswith((".", ":", ",", ";", "!", "?", "-", "("))
        told.append(f"{line}." if early and not ended else line)
    return " ".join(told)


def _linked(match: re.Match[str]) -> str:
    """What a reader of Javadoc sees: the label where there is one, else the name as code."""
    target, _, label = match[1].strip().partition(" ")
    labelled = label and "(" not in target and match[0].startswith("{@link")
    if labelled:
        return label.strip()
    shown = match[1].strip()
    if match[0].startswith("{@link"):
        shown = shown.removeprefix("#").replace("#", ".")
    return f"`{shown}`"


def listing(names: Sequence[str], limit: int = 6) -> str:
    """Names in code marks: "`a`, `b` and `c`", the ones beyond `limit` counted."""
    shown = [f"`{name}`" for name in names[:limit]]
    hidden = len(names) - len(shown)
    if hidden:
        shown.append(f"{hidden} more")
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"

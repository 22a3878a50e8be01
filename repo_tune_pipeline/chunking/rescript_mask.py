"""ReScript's text with strings and comments blanked, so that brackets and words can be counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_CODE = re.compile(
    r"""//[^\n]*+|/\*|"(?:[^"\\]|\\.)*+"?|'(?:[^'\\\n]|\\[^\n']{1,9})'|`|[{}]"""
    r"""|(?:(?<=\()|(?<=[=,>]\ ))/(?![/*\s])(?:[^/\\\n]|\\.)++/""",
    re.DOTALL,
)
_TEMPLATE = re.compile(r"\\.|`|\$\{", re.DOTALL)
_COMMENT = re.compile(r"/\*|\*/")
_NOT_END = re.compile(r"[^\n]")


@dataclass(slots=True)
class Mask:
    """`code` has the text's length and lines; comments are blanks there, of strings and templates
    only the quotes are left, but what stands in a template's ``${…}`` stays. `comments` are
    character spans, ascending.
    """

    code: str
    comments: list[tuple[int, int]]


@dataclass(slots=True)
class _Masking:
    text: str
    parts: list[str] = field(default_factory=list[str])
    comments: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    at: int = 0

    def keep(self, end: int) -> None:
        self.parts.append(self.text[self.at : end])
        self.at = end

    def blank(self, end: int) -> None:
        self.parts.append(_NOT_END.sub(" ", self.text[self.at : end]))
        self.at = end


def mask(text: str) -> Mask:
    """In one pass over the text, whatever it holds; what isn't closed ends with the text."""
    made = _Masking(text)
    holes: list[int] = []
    """For each template that stands open, how many braces its hole has open."""
    in_template = False
    while True:
        found = (_TEMPLATE if in_template else _CODE).search(text, made.at)
        if found is None:
            break
        if in_template:
            in_template = _template_token(made, found, holes)
        else:
            in_template = _code_token(made, found, holes)
    if in_template:
        made.blank(len(text))
    else:
        made.keep(len(text))
    return Mask("".join(made.parts), made.comments)


def _template_token(made: _Masking, found: re.Match[str], holes: list[int]) -> bool:
    """Go on behind a token in a template; whether it still goes on there."""
    if found.group() == "`":
        made.blank(found.start())
        made.keep(found.end())
        return False
    made.blank(found.end())
    if found.group() == "${":
        holes.append(0)
        return False
    return True


def _code_token(made: _Masking, found: re.Match[str], holes: list[int]) -> bool:
    """Go on behind a token in code; whether a template goes on there."""
    token = found.group()
    made.keep(found.start())
    if token[0] in "{}":
        if holes and token == "}" and not holes[-1]:
            holes.pop()
            made.blank(found.end())
            return True
        if holes:
            holes[-1] += 1 if token == "{" else -1
        made.keep(found.end())
    elif token == "`":
        made.keep(found.end())
        return True
    elif token.startswith(("//", "/*")):
        start = made.at
        made.blank(found.end() if token.startswith("//") else _comment_end(made.text, found.end()))
        made.comments.append((start, made.at))
    else:
        made.keep(found.start() + 1)
        if len(token) > 1:
            made.blank(found.end() - 1)
            made.keep(found.end())
    return False


def _comment_end(text: str, at: int) -> int:
    """The end of a comment that was opened before `at`, with comments inside it."""
    depth = 1
    for mark in _COMMENT.finditer(text, at):
        depth += 1 if mark.group() == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)

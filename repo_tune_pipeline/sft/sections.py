"""A document's section as heading and text, and whether it answers anything."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from repo_tune_pipeline.records import CodeChunk

MIN_WORDS = 8
_MIN_RELEASE_WORDS = 3
_MIN_CODE_WORDS = 5
_HEADING = re.compile(
    r"\A\s*(?:#{1,6}[^\n]*|[^\n]+\n[ \t]*(?:=+|-{2,}|~+|\^+|\*+|\++|`+)[ \t]*\r?(?=\n|\Z))(?:\n|\Z)"
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_VERSION = re.compile(
    r"\b(?:version\s+)?(v?\d+\.\d+(?:\.\d+){0,2}(?:[-.]?(?:rc|a|b|beta|alpha|dev)\S*)?)\b", re.I
)
_COMMIT = re.compile(r"\s*\(\[[0-9a-f]{7,40}\]\([^)]*\)\)")
_ISSUE = re.compile(r"\[(#\d+)\]\([^)]*\)")
_CHANGES = re.compile(r"(?:^|/)(?:change|history|news|release)", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")
_WORD = re.compile(r"[^\W\d_]{2,}")
_URL = re.compile(r"https?://\S+|\([0-9a-f]{7,40}\)|<!--.*?-->", re.DOTALL)
_BARE = re.compile(r"[0-9a-f]{7,40}")
# Labels of what follows, and rules, at a section's ends; directives that only name other texts.
_EDGES = re.compile(
    r"\A(?:\s*\.\. _[^\n]*:[ \t]*(?=\n|\Z)|\s*-{3,}[ \t]*(?=\n|\Z))+"
    r"|(?:\n\s*\.\. _[^\n`]*:[ \t]*|\n\s*-{3,}[ \t]*)+\s*\Z"
)
_DIRECTIVE = re.compile(
    r"^\.\. (?:toctree|auto\w+|currentmodule|module|contents|include|_)[^\n]*"
    r"(?:\n(?:[ \t]+[^\n]*|[ \t]*(?=\n[ \t])))*",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\b(?:refer to|see|details|get started with|guides?)\b", re.IGNORECASE)
_MOST_REFERRING = 20
_VAGUE_LIST = """
    example examples note notes usage overview introduction description features fixes
    scripts justification reverts chores refactors tests ci documentation misc other details
    summary todo license table contents toc steps step parameters returns see also
"""
_VAGUE = frozenset(_VAGUE_LIST.split())


class Section(NamedTuple):
    """`release` is "version 1.2" or "the bug fixes of 1.2" where it is a change log's; `problem`
    why it can't be asked for.
    """

    heading: str
    body: str
    release: str
    problem: str


@lru_cache(maxsize=64)
def read_section(chunk: CodeChunk) -> Section:
    """The section of a chunk of kind `section`."""
    body = _EDGES.sub("", chunk.source.replace("\r\n", "\n")).lstrip("\n")
    body = _EDGES.sub("", _HEADING.sub("", body, count=1)).strip()
    trail = [_plain(part) for part in chunk.symbol.split(" > ")]
    trail = [part for part in trail if part]
    if not trail:
        return Section("", body, "", "no_heading")
    heading = _title(trail)
    release = _release(trail) if _CHANGES.search(chunk.path) else ""
    if release:
        body = _ISSUE.sub(r"\1", _COMMIT.sub("", body))
    least = MIN_WORDS if "```" not in body and ".. code" not in body else _MIN_CODE_WORDS
    return Section(heading, body, release, _problem(body, _MIN_RELEASE_WORDS if release else least))


def _plain(heading: str) -> str:
    text = _TAG.sub("", _LINK.sub(r"\1", heading)).replace('"', "'").replace("`", "")
    return " ".join(text.strip("#*_ ").rstrip(":").split())


def _title(trail: list[str]) -> str:
    """The last heading; with the one above it where it says nothing by itself."""
    last = trail[-1]
    words = {word.lower() for word in _WORD.findall(last)}
    if len(trail) > 1 and (words <= _VAGUE or len(words) < 2):
        return f"{trail[-2]}: {last}"
    return last


def _release(trail: list[str]) -> str:
    version = next((found for part in reversed(trail) if (found := _VERSION.search(part))), None)
    if version is None:
        return ""
    name = f"version {version[1]}"
    topic = trail[-1] if trail[-1].isupper() else trail[-1].lower()
    return name if _VERSION.search(topic) else f"{name} ({topic})"


def _problem(body: str, least: int) -> str:
    """Why a text answers nothing: too few words of its own, an end left open, a mere reference,
    badges.
    """
    if sum(map(len, _TAG.findall(body))) * 2 > len(body):
        return "mostly_markup"
    prose = _BARE.sub(" ", _URL.sub(" ", _LINK.sub(r"\1", _DIRECTIVE.sub("", body))))
    words = _WORD.findall(prose)
    if len({word.lower() for word in words}) < least or body.endswith(":"):
        return "too_short"
    return "too_short" if len(words) <= _MOST_REFERRING and _REFERENCE.search(prose) else ""

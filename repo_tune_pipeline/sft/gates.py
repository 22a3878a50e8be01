"""Reasons not to make an example, for a chunk, for a docstring and for a finished draft."""

from __future__ import annotations

import hashlib
import re

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.sft.code import without_doc
from repo_tune_pipeline.sft.words import words_of

MIN_DOC_WORDS = 3
MIN_OUTPUT_CHARS = 12
_BOILERPLATE = re.compile(
    r"""\A\s*(?:
        (?:getter|setter|accessor|constructor|destructor)s?\b(?:\s+(?:for|of)\b.*)?\s*\Z
      | (?:getter|setter)s?\s+for\b
      | .*\b(?:auto-?\s?generated|generated\s+by|do\s+not\s+edit)\b
      | (?:todo|fixme|xxx|hack)\b
      | \{?@inheritdoc\}?
      | see\s+(?:base|parent|super)\s*class\b
      | (?:inherited|overridden|copied)\s+from\b
      | eslint-|prettier-ignore|noqa\b|pylint:|type:\s*ignore|@ts-|ts-ignore|istanbul\b
      | (?:copyright|spdx-license-identifier)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_FILLER_LIST = """
    a an the this that of for to in on and or is are it its with from by as at be get gets
    returns return set sets class function method module test tests
"""
_FILLER = frozenset(_FILLER_LIST.split())


class ChunkGates:
    """Drops a chunk from all tasks: planted or forgotten secrets, and copies of earlier chunks.

    Chunks are to be passed in ascending order of (repo, path, start_line): the first copy stays.
    Copies are chunks with the same code once docs and white space are left out, so that the two
    sides of the split never share one.
    """

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def reason(self, chunk: CodeChunk) -> str:
        """Why no task may use `chunk`, or ""."""
        if holds_secret(chunk.source):
            return "secret"
        code = without_doc(chunk.source, chunk.doc_span)
        key = _key(" ".join(code.split()) or " ".join(chunk.source.split()))
        if key in self._seen:
            return "duplicate"
        self._seen.add(key)
        return ""


class ExampleGates:
    """Drops a finished draft by its length or because the very same one was kept before."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._seen: set[bytes] = set()

    def reason(self, instruction: str, input: str, output: str) -> str:
        """Why this draft isn't kept, or ""."""
        if not output.strip():
            return "empty_output"
        if len(output.strip()) < MIN_OUTPUT_CHARS:
            return "too_short"
        if len(instruction) + len(input) + len(output) > self._max_chars:
            return "too_long"
        key = _key("\0".join((instruction, input, output)))
        if key in self._seen:
            return "duplicate_example"
        self._seen.add(key)
        return ""


def docstring_problem(docstring: str, symbol: str) -> str:
    """`no_docstring`, `boilerplate_docstring`, or "" for one that says something.

    Boilerplate is what matches a known phrase, has fewer than three words, or has no word that
    the symbol's own name doesn't have.
    """
    if not docstring.strip():
        return "no_docstring"
    spelled = re.findall(r"[^\W\d_]{2,}", docstring)
    if len(spelled) < MIN_DOC_WORDS or _BOILERPLATE.match(docstring):
        return "boilerplate_docstring"
    new = words_of(docstring) - words_of(symbol) - _FILLER
    return "" if new else "boilerplate_docstring"


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

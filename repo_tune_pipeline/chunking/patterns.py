"""A language's query file, made ready: which nodes of a tree are looked at, and for what.

A query that visits every node costs a third of the parse. So the walk in `survey` asks a pattern
only at nodes of the kind that the pattern begins with, and enters only nodes that may hold some.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from tree_sitter import Language, Query

from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, grammar_of

COMMENT, ATTRIBUTE, BLOCK, IMPORT, OPAQUE, OPEN, ASKED, ASKED_INSIDE = (1 << n for n in range(8))
"""What a node of a kind is: the first four as its capture says; never entered; entered though it
is on one row; a node to ask patterns at, outside of functions alone, or in them, too."""
MARGIN = COMMENT | ATTRIBUTE

_KIND = re.compile(
    r"@(function|method|type|test|module|owner|signature|wrapper|call"
    r"|attribute|comment|statements|callee|import|opaque|open)\b"
)
_ROOT = re.compile(r"\(+(\w+)")
_SIMPLE = re.compile(r"\((\w+)\)\s*@\w+")
_NESTED = re.compile(r"\((\w+) \((\w+)\) @\w+\)")
_LOADER = re.compile(r'#called\? @loader ((?:"[^"]*"\s*)+)')
_FLAGS = {
    "comment": COMMENT,
    "attribute": ATTRIBUTE,
    "statements": BLOCK,
    "import": IMPORT,
    "opaque": OPAQUE,
    "open": OPEN,
}
_CALLS = ("call", "callee")


class Pattern(NamedTuple):
    """One pattern of a query file, and the capture that says what it finds."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns compiled as one query, and what each of them finds."""

    query: Query
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileQuery:
    """A query file.

    Attributes:
        rules: for each kind of node the flags above; an error is of the last kind there can be.
        asked: what is asked at single nodes.
        everywhere: what is asked at every node, where calls can't be told by their parentheses:
            calls and imports.
        called: the kinds of nodes that are calls, where they can.
        loaders: the functions that import, where they can.
    """

    rules: bytes
    asked: Patterns
    everywhere: Patterns | None
    called: frozenset[int]
    loaders: tuple[bytes, ...]


@cache
def query_of(language: str) -> FileQuery:
    """The query of a row; compiling costs as much as parsing a long file."""
    row, grammar = CODE_LANGUAGES[language], grammar_of(language)
    patterns = _patterns(grammar, row.query)
    calls = [each for each in patterns if each.kind in _CALLS]
    others = [each for each in patterns if each.kind not in _CALLS]
    everywhere = None
    if row.calls is None:
        everywhere = _compiled(grammar, calls + [each for each in others if each.kind == "import"])
        others = [each for each in others if each.kind != "import"]
    asked = [each for each in others if not _plain(each)]
    return FileQuery(
        rules=_rules(grammar, others),
        asked=_compiled(grammar, asked),
        everywhere=everywhere,
        called=frozenset(key for each in calls for key in _ids(grammar, _root(each))),
        loaders=tuple(
            word.encode()
            for each in others
            for words in _LOADER.findall(each.text)
            for word in re.findall(r'"([^"]*)"', words)
        ),
    )


def _patterns(grammar: Language, name: str) -> list[Pattern]:
    file = resources.files("repo_tune_pipeline.chunking") / "queries" / f"{name}.scm"
    source = file.read_bytes()
    query = Query(grammar, source.decode("utf-8"))
    texts = [
        source[query.start_byte_for_pattern(at) : query.end_byte_for_pattern(at)].decode("utf-8")
        for at in range(query.pattern_count)
    ]
    return [Pattern(re.sub(r"(?m);.*$", "", text).strip(), _kind(text)) for text in texts]


def _kind(pattern: str) -> str:
    found = _KIND.search(pattern)
    if found is None:
        raise ValueError(f"nothing is found by {pattern}")
    return found.group(1)


def _root(pattern: Pattern) -> str:
    found = _ROOT.match(pattern.text)
    if found is None:
        raise ValueError(f"no kind of node begins {pattern.text}")
    return found.group(1)


def _plain(pattern: Pattern) -> bool:
    """Whether a node's kind, at most with the one around it, tells all that is to be told."""
    if pattern.kind not in _FLAGS:
        return False
    return any(form.fullmatch(pattern.text) for form in (_SIMPLE, _NESTED))


def _rules(grammar: Language, patterns: Sequence[Pattern]) -> bytes:
    rules = bytearray(1 << 16)

    def add(kind: str, flag: int) -> None:
        for key in _ids(grammar, kind):
            rules[key] |= flag

    for each in patterns:
        nested = _NESTED.fullmatch(each.text)
        if not _plain(each):
            inside = each.kind in _FLAGS
            add(_root(each), ASKED | ASKED_INSIDE if inside else ASKED)
        elif nested is not None:
            add(nested.group(1), OPEN)
            add(nested.group(2), _FLAGS[each.kind])
        else:
            add(_root(each), _FLAGS[each.kind])
    return bytes(rules)


def _ids(grammar: Language, kind: str) -> list[int]:
    """A name may be that of several kinds."""
    return [
        key
        for key in range(grammar.node_kind_count)
        if grammar.node_kind_for_id(key) == kind and grammar.node_kind_is_named(key)
    ]


def _compiled(grammar: Language, patterns: Sequence[Pattern]) -> Patterns:
    text = "\n".join(each.text for each in patterns)
    return Patterns(Query(grammar, text), tuple(each.kind for each in patterns))

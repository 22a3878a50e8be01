"""How much of a text isn't code of its language."""

from __future__ import annotations

from functools import lru_cache

from tree_sitter import Node, Parser

from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, grammar_of

_MOST_NODES = 100_000
_OPENINGS = {"PHP": "<?php\n"}
"""Without it all is text."""


def syntax_errors(text: str, language: str) -> int | None:
    """How many nodes of its tree are errors or were missing.

    Args:
        text: a few kilobytes at most; longer ones aren't guarded against slow grammars.
        language: as Linguist names it.

    Returns:
        None for a language without a grammar.
    """
    if language not in CODE_LANGUAGES:
        return None
    code = f"{_OPENINGS.get(language, '')}{text}"
    root = _parser(language).parse(code.encode("utf-8", "replace")).root_node
    return _count(root) if root.has_error else 0


def _count(root: Node) -> int:
    found, left = 0, [root]
    for _ in range(_MOST_NODES):
        if not left:
            break
        node = left.pop()
        found += node.is_error or node.is_missing
        left.extend(child for child in node.children if child.has_error or child.is_missing)
    return found


@lru_cache(maxsize=32)
def _parser(language: str) -> Parser:
    return Parser(grammar_of(language))

"""The identifiers of a piece of code, which needn't parse."""

from __future__ import annotations

from functools import lru_cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

_LEXERS = {
    "C#": "csharp",
    "C++": "cpp",
    "ReScript": "reasonml",  # its own syntax grew out of Reason's
    "Shell": "bash",
    "TSX": "tsx",
}
_NAMES = (Token.Name, Token.Keyword.Type)


def identifiers(code: str, language: str) -> frozenset[str]:
    """Distinct names in `code`, as Pygments tells them from keywords, literals and comments.

    Args:
        code: any text.
        language: as Linguist names it; of one that Pygments doesn't know, every word counts.
    """
    found = (
        value.strip()
        for kind, value in _lexer(language).get_tokens(code)
        if any(kind in name for name in _NAMES)
    )
    return frozenset(name for name in found if name.isidentifier() or "$" in name)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer:
    name = _LEXERS.get(language, language.lower())
    options = {"startinline": True} if name == "php" else {}
    try:
        return get_lexer_by_name(name, **options)
    except ClassNotFound:
        return get_lexer_by_name("python")

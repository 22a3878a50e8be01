"""A repository's text made harmless to look at. Escaping for HTML comes on top."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """Control, bidirectional, zero-width and private characters written out as `\\u202e`.

    They could make a page show something else than what stands in the file. Newlines and tabs
    stay; a carriage return before a newline goes.
    """
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in _INVISIBLE
        else character.encode("unicode_escape").decode()
        for character in text.replace("\r\n", "\n")
    )


def one_line(text: str) -> str:
    """`visible`, on one line: for names and paths."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def markdown_code(text: str) -> str:
    """A code span that its text can't leave, inside a table or out of it."""
    inert = one_line(text).replace("`", "'").replace("|", "¦")
    return f"`{inert}`" if inert else ""

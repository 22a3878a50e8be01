"""An answer in Markdown that leads nowhere: a model may have been told to by a text that it read.

An image is fetched as soon as it is shown, and its address can carry what was asked to whoever
planted it; a link needs one click. Text and code stay as they are.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_CODE = re.compile(
    r"""
    ^[ ]{0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n (?:.*?\n)?? [ ]{0,3}(?P=fence)[`~]*[ \t]*$   # a block
    | (?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)                                  # a span
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
# Where a destination starts or holds one of these, it may lead away; `handlers[name](request)` not.
_DESTINATION = re.compile(r"\](?=\(\s*<?[^\s)]*(?:[:/\\&#?]|www\.))", re.IGNORECASE)
_DEFINITION = re.compile(r"(?m)(^[ \t>*+\-\d.)]*\[[^\[\]]{0,999}\])(?=:)")
_AWAY = re.compile(r"(?i)[a-z][a-z0-9+.-]*:|[/\\?#]|www\.")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ADDRESS = re.compile(r"(?i)\b(?:https?://|ftp://|mailto:|www\.)[^\s<>`\"'\\]+")


def inert(text: str) -> str:
    """`text` with its links, images, addresses and tags made text, outside of code.

    A parser of Markdown has the last word; what it still finds a way out of is shown as code.
    """
    for made in (_outside_code(text), _prose(text)):
        if not _leads_away(made):
            return made
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _leads_away(text: str) -> bool:
    parser = MarkdownIt("commonmark", {"html": True})
    tokens = parser.parse(text)
    found = [*tokens, *(inner for token in tokens for inner in token.children or ())]
    return any(
        token.type.startswith("html_")
        or _AWAY.match(str(token.attrs.get("href") or token.attrs.get("src") or ""))
        for token in found
    )


def _outside_code(text: str) -> str:
    parts: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        parts += [_prose(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*parts, _prose(text[at:])])


def _prose(text: str) -> str:
    text = _ADDRESS.sub(lambda found: f"`{found.group()}`", text)
    text = _TAG.sub(r"\\<", text)
    text = _DESTINATION.sub(r"]\\", text)
    return _DEFINITION.sub(r"\1\\", text)

"""English from facts: lists of names, and a docstring's first paragraph as a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VERB_LIST = """
    accept add allow append apply assert assign attach block bind build cancel capture change
    check choose clean clear close collect combine compare complete compute configure connect
    construct convert copy count create decode decrypt define delete describe detect determine
    disable discard display dispatch download drop emit enable encode encrypt ensure escape
    evaluate execute expand export extend extract fail fetch fill find fire flush forward
    generate get give handle hide hold implement import include increment indicate infer
    increase initialise initialize insert inspect install intercept invoke iterate join keep
    launch listen load locate look make manage mark merge modify move normalise normalize
    notify obtain open override parse perform persist pick populate prepare prevent print
    process produce provide publish push put raise read rebuild receive recompute reconstruct
    record redirect refresh register reject release reload remove rename render replace replay
    report represent require reset resolve restore retrieve return reverse run save schedule
    scan select send serialize set shut skip sort split start stop store strip submit subscribe
    take tell test throw tokenize transform traverse trigger try turn uninstall unregister
    unwrap update upload use validate verify wait walk warn wrap write yield
"""
_NOT_OBJECT_LIST = (
    "of that which used containing holding and or is are was for with in on case cases"
)
_VERBS = frozenset(_VERB_LIST.split())
_NOT_OBJECTS = frozenset(_NOT_OBJECT_LIST.split())
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
_HAS_VERB = re.compile(r"\b(?:is|are|was|were|will|can|must|should|has|have|may|does|do|:)\b")
_ROLE = re.compile(r":[a-z:]+:`~?([^`]*)`|``([^`]+)``")


def first_paragraph(docstring: str) -> str:
    """A docstring's first paragraph on one line, without tags and field lists; often ``""``."""
    lines: list[str] = []
    for line in docstring.strip().split("\n"):
        if not line.strip() or _FIELD.match(line):
            break
        lines.append(line.strip())
    text = " ".join(" ".join(lines).split())
    text = _TAG.sub("", _LINK.sub(_linked, text))
    text = _ROLE.sub(lambda match: f"`{match[1] or match[2]}`", text)
    return " ".join(text.split())


def _linked(match: re.Match[str]) -> str:
    """What a reader of Javadoc sees: the label where there is one, else the name as code."""
    target, _, label = match[1].strip().partition(" ")
    labelled = label and "(" not in target and match[0].startswith("{@link")
    return label.strip() if labelled else f"`{match[1].strip()}`"


def as_sentence(paragraph: str, name: str = "") -> str:
    """`paragraph` ending in a full stop, about "it" where that is certain to be right.

    "Return x" and "Returns x" become "It returns x"; so does "Name returns x", the way Go is
    documented, if `name` is the name of what is described.
    """
    first, _, rest = paragraph.partition(" ")
    verb = _third_person(first)
    object_word = rest.split(" ", 1)[0].lower().strip(".,:;") if rest else ""
    if first in ("A", "An") and not _HAS_VERB.search(paragraph.split(". ")[0]):
        paragraph = f"It is {first.lower()} {rest}"
    elif first == name and re.match(r"[a-z]+s\s", rest):
        paragraph = f"It {rest}"
    elif verb and object_word and object_word not in _NOT_OBJECTS:
        paragraph = f"It {verb} {rest}"
    else:
        # `some.name` or some_name stays as it is spelled.
        plain = re.fullmatch(r"[a-z]+[,:]?", first)
        paragraph = paragraph[:1].upper() + paragraph[1:] if plain else paragraph
    if paragraph.endswith((":", ",", ";")):
        paragraph = paragraph[:-1].rstrip()
    return paragraph if paragraph.endswith((".", "!", "?")) else f"{paragraph}."


def listing(names: Sequence[str], limit: int = 6) -> str:
    """Names in code marks: "`a`, `b` and `c`", the ones beyond `limit` counted."""
    shown = [f"`{name}`" for name in names[:limit]]
    hidden = len(names) - len(shown)
    if hidden:
        shown.append(f"{hidden} more")
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def article(noun: str) -> str:
    """`noun` with "a" or "an" before it."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _third_person(word: str) -> str:
    """ "Return" and "Returns" -> "returns"; "" for what isn't one of the known verbs."""
    word = word.lower()
    if word in _VERBS:
        if re.search(r"(?:s|sh|ch|x|z|o)$", word):
            return f"{word}es"
        if re.search(r"[^aeiou]y$", word):
            return f"{word[:-1]}ies"
        return f"{word}s"
    for base in (word[:-1], word[:-2], f"{word[:-3]}y"):
        if base in _VERBS and _third_person(base) == word:
            return word
    return ""

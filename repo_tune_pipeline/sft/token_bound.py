"""How long a tokenization can be at most, by what a tokenizer.json says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = Mapping[str, Any]
"""A normalizer or a pre-tokenizer, as tokenizer.json describes it."""

_GROWTH = {"NFC": 3, "NFD": 3, "NFKC": 11, "NFKD": 11}
"""How many times as long a normal form may be in UTF-8, by Unicode's own table; ASCII stays."""
_MARKING = ("Prepend", "Replace", "Metaspace")
_NORMALIZERS = ("Prepend", "Replace")
_PRE_TOKENIZERS = (
    *("BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits", "Metaspace"),
    *("Punctuation", "Split", "UnicodeScripts", "Whitespace", "WhitespaceSplit"),
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A text has `growth` (1 if it is ASCII) tokens a byte of UTF-8 at most, and `extra` more."""

    growth: int
    extra: int

    def most(self, text: str) -> int:
        """No tokenization of `text` is longer."""
        if text.isascii():
            return len(text) + self.extra
        return len(text.encode()) * self.growth + self.extra


def byte_bound(definition: Mapping[str, Any]) -> Bound | None:
    """What a tokenizer.json promises about the number of tokens; None where it promises nothing.

    BPE begins with a symbol a character and only ever joins symbols, so that what matters is how
    many characters reach it. Behind a ByteLevel pre-tokenizer that is one for each byte. Without
    one it is one for each character, and where `byte_fallback` puts bytes in place of a character
    that the vocabulary lacks, its bytes. What stands before BPE may cut and remove, or lengthen
    as far as is known: Unicode's normal forms, a prefix, a mark in place of a blank. A prefix is
    added anew behind each added token that occurs in the text (control tokens count as text
    here), so that then nothing is known. Nor is it for Unigram, WordPiece and WordLevel, for
    affixes of subwords, and for whatever isn't named here.
    """
    model = definition["model"]
    kind = model.get("type", "BPE" if "merges" in model else "")
    affixes = ("continuing_subword_prefix", "end_of_word_suffix")
    if kind != "BPE" or any(model.get(affix) for affix in affixes):
        return None
    steps = _steps(definition["normalizer"], "normalizers")
    normalizers = [step for step in steps if step["type"] != "Strip"]
    pre_tokenizers = list(_steps(definition["pre_tokenizer"], "pretokenizers"))
    types = [step["type"] for step in (*normalizers, *pre_tokenizers)]
    if "ByteLevel" in types and (model.get("byte_fallback") or {*types} & {*_MARKING}):
        return None
    bound = _bound(normalizers, pre_tokenizers, model)
    splits = any(not token["special"] for token in definition["added_tokens"])
    return None if bound is None or (bound.extra and splits) else bound


def _bound(
    normalizers: Sequence[Step], pre_tokenizers: Sequence[Step], model: Mapping[str, Any]
) -> Bound | None:
    growth, extra = 1, 0
    for number, step in enumerate(normalizers):
        added = _added(step, model)
        if step["type"] in _GROWTH and number == 0:
            growth = _GROWTH[step["type"]]
        elif step["type"] not in _NORMALIZERS or added is None or growth > 1:
            return None
        extra += added or 0
    for number, step in enumerate(pre_tokenizers):
        added = _added(step, model)
        # Behind a cut each piece would be added to.
        if step["type"] not in _PRE_TOKENIZERS or added is None or (added and number):
            return None
        extra += added
    replaced = [step for step in normalizers if step["type"] == "Replace"]
    return Bound(growth, extra) if len(replaced) <= 1 else None


def _added(step: Step, model: Mapping[str, Any]) -> int | None:
    """How many symbols a step puts before a text; None if it lengthens the text itself."""
    match step["type"]:
        case "Prepend":
            return len(step["prepend"].encode())
        case "Replace":
            room = len(step["pattern"].get("String", "").encode())
            return 0 if _symbols(step["content"], model) <= room else None
        case "Metaspace":
            is_one = _symbols(step["replacement"], model) == 1
            return int(step.get("prepend_scheme", "always") != "never") if is_one else None
        case "ByteLevel":
            return int(step["add_prefix_space"])
        case _:
            return 0


def _symbols(text: str, model: Mapping[str, Any]) -> int:
    """With how many symbols BPE begins on `text`, at most."""
    if not model.get("byte_fallback"):
        return len(text)
    return sum(1 if each in model["vocab"] else len(each.encode()) for each in text)


def _steps(part: Step | None, inner: str) -> Iterator[Step]:
    if part is not None and part["type"] == "Sequence":
        for each in part[inner]:
            yield from _steps(each, inner)
    elif part is not None:
        yield part

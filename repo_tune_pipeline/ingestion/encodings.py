"""Bytes to text without loss, and what a reader of that text should be warned of."""

from __future__ import annotations

import codecs
import re

_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(range(0, 9)) + bytes(range(14, 27)) + bytes(range(28, 32)) + b"\x7f"
_ASCII = bytes(range(128))
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_MOST_FOREIGN = 0.3


def decode(data: bytes) -> tuple[str | None, str]:
    """The text of `data` and its encoding (`utf-8`, `utf-16`, `latin-1`); None if it is no text."""
    if data.startswith(_BOMS) or (b"\0" in data and _utf16_order(data)):
        return _utf16(data)
    if b"\0" in data:
        return None, ""
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return _single_byte(data)


def flags_of(text: str, encoding: str) -> tuple[str, ...]:
    """The flags of a kept text, sorted."""
    flags = {encoding} - {"utf-8"}
    if not text.isascii():
        foreign = text.encode().translate(None, _ASCII).decode()
        flags |= {"bidi_controls"} if _BIDI.search(foreign) else set()
        flags |= {"zero_width"} if _ZERO_WIDTH.search(foreign) else set()
    return tuple(sorted(flags))


def _utf16(data: bytes) -> tuple[str | None, str]:
    codec = "utf-16" if data.startswith(_BOMS) else _utf16_order(data)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return None, ""
    return (None, "") if "\0" in text else (text, "utf-16")


def _utf16_order(data: bytes) -> str:
    """The byte order of text without a mark: nearly every other byte is NUL, none of the others."""
    head = data[: 4096 & ~1]
    even, odd = head[::2], head[1::2]
    if len(data) % 2 or len(head) < 4:
        return ""
    if 0 not in even and odd.count(0) > 0.7 * len(odd):
        return "utf-16-le"
    return "utf-16-be" if 0 not in odd and even.count(0) > 0.7 * len(even) else ""


def _single_byte(data: bytes) -> tuple[str | None, str]:
    """Windows-1252, else Latin-1, where few bytes are foreign and none is a control."""
    foreign = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if len(data.translate(None, _CONTROLS)) != len(data) or foreign > _MOST_FOREIGN * len(data):
        return None, ""
    try:
        return data.decode("cp1252"), "latin-1"
    except UnicodeDecodeError:
        return None, ""

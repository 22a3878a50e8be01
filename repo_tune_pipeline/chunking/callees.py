"""The names of what a definition calls."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Protocol

from tree_sitter import Node

from repo_tune_pipeline.chunking.languages import CallText
from repo_tune_pipeline.chunking.parsing import Captures, SourceText

_SHORT_CALLEE = 60
"""Bytes."""
_LONGEST_RAW = _SHORT_CALLEE + 1
_MOST_NAMES = 400
"""More different names are called by no chunk that a person wrote, and each is looked up."""
_LONGEST_GENERICS = 200
"""Bytes."""
_LETTER = rb"[\w$\x80-\xff]"
_LETTERS = frozenset(byte for byte in range(0x100) if re.fullmatch(_LETTER, bytes([byte])))
_JOINTS = _LETTERS | frozenset(b".:")
_MOST_KNOWN = 50_000
_DOT, _ARROW = b".-"
_NAME_BEFORE = re.compile(rb"(?:[.:]|->)?" + _LETTER + rb"+(?:(?:\.|::)" + _LETTER + rb"+)*$")
_LAST_NAME = re.compile(_LETTER + rb"+$")
_OPENING = b"([{`! "
_CHAINED = (b".", b":", b"-")


class Calls(Protocol):
    """The calls of one file."""

    def within(self, node: Node, start: int, end: int) -> tuple[str, ...]:
        """The names that are called in a node's bytes [start, end), sorted and unique.

        A short dotted name is kept as written; of anything else only the last identifier stays.
        """
        ...


class TextCalls:
    """Calls that are told by a name and a parenthesis, and that the tree confirms.

    The text is read backwards: from the few parentheses to the names before them. A name counts
    if somewhere in the definition the smallest node around it and its parenthesis is a call: not
    a string, a pattern, a definition.
    """

    def __init__(self, source: SourceText, text: CallText, called: frozenset[int]) -> None:
        self._names, self._called = _names_of(text), called
        self._data = source.data
        self._has_generics = text.generics

    def within(self, node: Node, start: int, end: int) -> tuple[str, ...]:
        """As `Calls` has it."""
        data, lookup, called = self._data, node.named_descendant_for_byte_range, self._called
        names, found = self._names, set[str]()
        for raw in islice(set(names.backwards(data[start:end][::-1])), _MOST_NAMES):
            name, written, width = names.known.get(raw) or names.read(raw)
            if not name or name in found:
                continue
            at = data.find(written, start, end)
            while at >= 0:
                after = at + len(written)
                if data[at - 1] not in _JOINTS or not _goes_on(data, at):
                    around = lookup(after - width, after)
                    if around is not None and around.kind_id in called:
                        found.add(name)
                        break
                at = data.find(written, after, end)
        if self._has_generics:
            found.update(self._generics(node, start, end))
        return tuple(sorted(found))

    def _generics(self, node: Node, start: int, end: int) -> Iterator[str]:
        """What is called by a parenthesis after type arguments."""
        data = self._data
        at = data.find(b">(", start, end)
        while at >= 0:
            before = _before_generics(data, at)
            if before is not None:
                around = node.named_descendant_for_byte_range(before.end() - 1, at + 2)
                if around is not None and around.kind_id in self._called:
                    yield _plain_name(before.group())
            at = data.find(b">(", at + 1, end)


class _Names:
    """What the texts mean that a pattern finds backwards; the same stand in many files."""

    def __init__(self, text: CallText) -> None:
        dotted = _LETTER + rb"+(?:(?:\.|::)" + _LETTER + rb"+)*"
        opening, goes_on = text.opening.encode(), rb"(?:\.(?!\.)|::|>-)?"
        self.backwards = re.compile(rb"(" + opening + dotted + goes_on + rb")").findall
        self.known: dict[bytes, tuple[str, bytes, int]] = {}
        self._keywords = text.keywords

    def read(self, raw: bytes) -> tuple[str, bytes, int]:
        """The name in a text that was read backwards, this text, and from where to its end the
        name's last byte and the opening are.
        """
        callee = raw.lstrip(_OPENING)
        name = _plain_name(callee[::-1]) if callee[::-1] not in self._keywords else ""
        if len(self.known) >= _MOST_KNOWN:
            self.known.clear()
        read = self.known[raw] = (name, raw[::-1], 1 + len(raw) - len(callee))
        return read


@cache
def _names_of(text: CallText) -> _Names:
    return _Names(text)


def _before_generics(data: bytes, at: int) -> re.Match[bytes] | None:
    """The name before the type arguments that end at a byte."""
    end = _opening_angle(data, at)
    if end < 0:
        return None
    end -= 2 * data.endswith(b"::", 0, end)
    return _NAME_BEFORE.search(data, max(end - _LONGEST_RAW, 0), end)


def _goes_on(data: bytes, at: int) -> bool:
    """Whether the name at a byte is only the end of one."""
    before, earlier = data[at - 1], data[at - 2]
    if data[at] in _LETTERS and before in b".:":
        return before != earlier if before == _DOT else before == earlier
    return before in _LETTERS and data[at] != _ARROW


def _opening_angle(data: bytes, at: int) -> int:
    """Where the angle bracket opens that is closed at a byte, or -1."""
    if data[at - 1] in b"-=":
        return -1
    depth = 0
    for place in range(at, max(at - _LONGEST_GENERICS, -1), -1):
        byte = data[place]
        if byte == 0x3E and data[place - 1] not in b"-=":
            depth += 1
        elif byte == 0x3C:
            depth -= 1
            if not depth:
                return place
    return -1


def _plain_name(written: bytes) -> str:
    """A short dotted name as written; where it goes on before, or is long, its last part."""
    if len(written) > _SHORT_CALLEE or written.startswith(_CHAINED):
        last = _LAST_NAME.search(written, written.rfind(b".") + 1)
        written = last.group() if last else b""
    return written.decode("utf-8", "ignore")


class TreeCalls:
    """Calls that a query found. A long text is never copied: in a chain of calls each callee holds
    all the calls before it.
    """

    def __init__(
        self,
        source: SourceText,
        marks: str,
        found: Iterable[tuple[str, Captures]],
        defined: frozenset[int],
    ) -> None:
        self._data = source.data
        self._dotted, self._last_name = _patterns(marks)
        self._known: dict[bytes, str] = {}
        calls: list[tuple[int, str]] = []
        for kind, match in found:
            if kind == "import":
                continue
            at = match[kind][0].start_byte
            if at not in defined:
                end = (
                    match["arguments"][0].start_byte if kind == "call" else match[kind][0].end_byte
                )
                calls.append((at, self._before(at, end)))
        calls.sort()
        self._starts = [at for at, _name in calls]
        self._names = [name for _at, name in calls]

    def within(self, node: Node, start: int, end: int) -> tuple[str, ...]:  # noqa: ARG002
        """As `Calls` has it."""
        first = bisect_left(self._starts, start)
        names = set(self._names[first : bisect_left(self._starts, end, lo=first)])
        names.discard("")
        return tuple(sorted(names))

    def _before(self, start: int, end: int) -> str:
        """The name in the bytes [start, end), or an empty string where there is none."""
        if end - start > _SHORT_CALLEE:
            start = max(self._data.rfind(b".", end - _SHORT_CALLEE, end), end - _LONGEST_RAW)
        raw = self._data[start:end]
        name = self._known.get(raw)
        if name is None:
            name = self._known[raw] = self._read(raw)
        return name

    def _read(self, raw: bytes) -> str:
        text = raw.decode("utf-8", "ignore").rstrip()
        if len(raw) <= _SHORT_CALLEE and self._dotted.fullmatch(text):
            return text
        last = self._last_name.search(text, text.rfind(".") + 1)
        return last.group() if last else ""


@cache
def _patterns(marks: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A dotted name and the last name of a text, where names may hold `marks`, too."""
    name = rf"[\w${re.escape(marks)}]+"
    return re.compile(rf"{name}(?:(?:\.|::){name})*"), re.compile(rf"{name}$")

"""Which pieces of a chunk are left out to be completed: always whole statements or members."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.sft.forms import pick

T = TypeVar("T")
_LEAST_LINES = (0, 6, 10, 16, 24, 32, 42, 52)
_MOST_ALIKE = 4
"""Lines from which a chunk gives one more example."""
_SHORT_LINES, _LONG_LINES, _MAX_CHARS = 6, 24, 900
_STATEMENT_LINES = 8
_ENOUGH_LINES = 8
_LEAST_BEFORE_NEXT = 160
"""Characters shown before a statement that is to come next."""
_LEAST_MEMBERS = 2
_MIN_LETTERS = 12
_MIN_WORDS = 3
_BRACKETS = re.compile(r"[()\[\]{}]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_OPEN_ENDS = ("=>", "=", "(", "&&", "||")
_CONTINUED = (".", "->", ")", "]", "}", "|>", "&&", "||", "?", ":", "else")
_SHORT_MEMBER = 2
_MEMBER = re.compile(r"([A-Za-z_]\w*)\s*(?:[;=({:]|$)", re.MULTILINE)
_ARMS = ("|", "case ", "default:", "default ->")
_COMMENTS = ("#", "//", "/*", "*", "--", '"""', "'''", "%", ";")


class Piece(NamedTuple):
    """Rows [start, end) of the source are left out."""

    start: int
    end: int
    way: str


def most_pieces(lines: int) -> int:
    """How many pieces a chunk of so many lines gives at most."""
    return sum(lines >= least for least in _LEAST_LINES)


def pieces_of(chunk: CodeChunk, lines: list[str]) -> Iterator[Piece]:
    """A short and a long rest, middles and next statements, none of them cut alike."""
    rows = _cut_rows(chunk) or _member_rows(lines, docs_rows(chunk))
    total = len(lines)
    wanted = most_pieces(total)
    if chunk.kind == "type" and not chunk.cut_points:
        rows = rows[2:]
    # A part's end that isn't the definition's is no end of anything, nor is a type's head.
    ends = chunk.part[0] == chunk.part[1] and _closes(lines)
    late = [row for row in rows if ends and total - row <= _LONG_LINES]
    least = 1 if chunk.cut_points or chunk.kind != "type" else _LEAST_MEMBERS
    rests = [
        row
        for row in late
        if _fits(lines[row:])
        and _tells(lines[row:])
        and _is_led_to(lines[:row], lines[row:], 1)
        and (least == 1 or sum(member >= row for member in rows) >= least)
        and _is_named_again(chunk, rows, lines, Piece(row, total - 1, "rest"))
    ]
    short = [row for row in rests if total - row <= _SHORT_LINES] or rests[-1:]
    found: list[Piece] = []
    if short:
        found.append(Piece(_one_of(short, chunk, "short"), total, "rest"))
    # A single field or case is no statement: nothing around it says which one is missing.
    whole = [piece for piece in _statements(rows, lines) if _whole(lines, piece)]
    statements = whole if chunk.kind != "type" or chunk.cut_points else []
    nexts = [
        piece
        for piece in statements
        if not _is_member(chunk, rows, lines, piece)
        and _is_led_to(lines[: piece.start], lines[piece.start : piece.end], 2, _LEAST_BEFORE_NEXT)
    ]
    named = [piece for piece in statements if _is_named_again(chunk, rows, lines, piece)]
    middles = [piece for piece in named if _tells(lines[piece.end :])]
    if middles:
        found.append(_one_of(middles, chunk, "middle")._replace(way="middle"))
    long = [row for row in rests if row not in short]
    if long:
        found.append(Piece(_one_of(long, chunk, "long"), total, "rest"))
    if nexts:
        found.append(_one_of(nexts, chunk, "next"))
    for number in range(2, _MOST_ALIKE + 1):
        for way, options in (("middle", middles), ("next", nexts)):
            taken = {piece.start for piece in found}
            if others := [piece for piece in options if piece.start not in taken]:
                found.append(_one_of(others, chunk, f"{way} {number}")._replace(way=way))
    starts: set[int] = set()
    for piece in found[:wanted]:
        if piece.start not in starts:
            starts.add(piece.start)
            yield piece


def _cut_rows(chunk: CodeChunk) -> list[int]:
    """Rows at which a statement begins, after the first line and the docs."""
    docs_end = chunk.doc_span[1] if chunk.doc_span else 0
    cuts = [cut for cut in chunk.cut_points if docs_end <= cut and 0 < cut < len(chunk.source)]
    rows, row, last = list[int](), 0, 0
    for cut in cuts:
        row += chunk.source.count("\n", last, cut)
        last = cut
        if row and (not rows or rows[-1] != row):
            rows.append(row)
    return rows


def begins(chunk: CodeChunk, lines: list[str]) -> list[int]:
    """Rows at which a statement or member begins and nothing goes on from above."""
    rows = _cut_rows(chunk) or _member_rows(lines, docs_rows(chunk))
    return [
        row
        for row in rows
        if row < len(lines)
        and not _goes_on(lines[row])
        and not lines[row - 1].rstrip().endswith(_OPEN_ENDS)
    ]


def _goes_on(line: str) -> bool:
    return line.lstrip().startswith((*_CONTINUED, *_ARMS))


def docs_rows(chunk: CodeChunk) -> int:
    """How many of the first rows the docs take."""
    if chunk.doc_span is None:
        return 0
    # The span may take in the line ends behind the text.
    start, end = chunk.doc_span
    text = chunk.source[start:end].rstrip()
    return chunk.source.count("\n", 0, start + len(text)) + 1


def _member_rows(lines: list[str], docs: int) -> list[int]:
    """Where members or arms of a definition without statements begin: fields, cases, entries."""
    inner = [row for row in range(max(docs, 1) + 1, len(lines)) if lines[row].strip()]
    deeper = [row for row in inner if indent(lines[row]) > indent(lines[docs - 1 if docs else 0])]
    least = min((indent(lines[row]) for row in deeper), default=0)
    return [
        row
        for row in deeper
        if indent(lines[row]) == least and lines[row].lstrip()[0] not in ")]}>"
    ]


def _statements(rows: list[int], lines: list[str]) -> Iterator[Piece]:
    """Each statement up to the next one that isn't inside it."""
    for index, row in enumerate(rows[:-1]):
        level = indent(lines[row])
        end = next((each for each in rows[index + 1 :] if indent(lines[each]) <= level), None)
        if end is not None and indent(lines[end]) == level and end - row <= _STATEMENT_LINES:
            last = end
            while last > row + 1 and is_empty(lines[last - 1]):
                last -= 1
            yield Piece(row, last, "next")


def is_empty(line: str) -> bool:
    """Whether a line is blank or a comment: at a statement's end it belongs to the next one."""
    return not line.strip() or line.lstrip().startswith(_COMMENTS[:3])


def _whole(lines: list[str], piece: Piece) -> bool:
    """Whether a piece says something and closes the brackets it opens, no more and no fewer."""
    part = lines[piece.start : piece.end]
    text = "\n".join(part)
    pairs = ("()", "[]", "{}")
    balanced = all(_is_balanced(text, left, right) for left, right in pairs)
    # A line further out than the first belongs to what is around the statement: a next case, say.
    if any(line.strip() and indent(line) < indent(part[0]) for line in part):
        return False
    return balanced and text.count('"""') % 2 == 0 and text.count("`") % 2 == 0 and _tells(part)


def _is_member(chunk: CodeChunk, rows: list[int], lines: list[str], piece: Piece) -> bool:
    """Whether a piece is an arm of a switch or a member of a type, and no statement."""
    line = lines[piece.start]
    return line.lstrip().startswith(_ARMS) or _is_outermost(chunk, rows, lines, piece)


def _is_outermost(chunk: CodeChunk, rows: list[int], lines: list[str], piece: Piece) -> bool:
    if chunk.kind != "type":
        return False
    return indent(lines[piece.start]) == min(indent(lines[row]) for row in rows)


def _is_named_again(chunk: CodeChunk, rows: list[int], lines: list[str], piece: Piece) -> bool:
    """Whether what is shown names a type's short member: nobody can guess one that it doesn't."""
    part = lines[piece.start : piece.end]
    if not _is_outermost(chunk, rows, lines, piece) or len(part) > _SHORT_MEMBER:
        return True
    if chunk.language == "ReScript":
        return piece.way == "rest" or chunk.cut_points != ()
    names = _MEMBER.findall("\n".join(part))
    others = "\n".join((*lines[: piece.start], *lines[piece.end :]))
    return any(re.search(rf"\b{name}\b", others) for name in names)


def _is_led_to(before: list[str], asked: list[str], times: int, least: int = 0) -> bool:
    """Whether what stands before a piece, `times` as long as it, tells enough of it.

    A title alone doesn't determine a body, nor a few fields the many that follow; and what only
    closes what was opened before is no continuation.
    """
    rows = [line for line in asked if line.strip()]
    telling = sum(any(map(str.isalnum, line)) for line in rows)
    return 2 * telling >= len(rows) and _chars(before) >= max(times * _chars(asked), least)


def _chars(lines: list[str]) -> int:
    return sum(map(len, map(str.strip, lines)))


def _is_balanced(text: str, left: str, right: str) -> bool:
    """Whether each bracket closes one that was opened in `text`, and none stays open."""
    if text.count(left) != text.count(right):
        return False
    depth = 0
    for mark in _BRACKETS.findall(text):
        depth += (mark == left) - (mark == right)
        if depth < 0:
            return False
    return True


def _tells(lines: list[str]) -> bool:
    """Whether lines hold more than brackets, comments and a bare return."""
    words: set[str] = set()
    for line in lines[:_ENOUGH_LINES]:
        words |= _words_of(line)
        if len(words) >= _MIN_WORDS and sum(map(len, words)) >= _MIN_LETTERS:
            return True
    return False


@lru_cache(maxsize=16_384)
def _words_of(line: str) -> frozenset[str]:
    """The different words of a line that isn't a comment."""
    if line.lstrip().startswith(_COMMENTS):
        return frozenset()
    return frozenset(_WORD.findall(line[:_MAX_CHARS]))


def _closes(lines: list[str]) -> bool:
    """Whether a definition's last line closes what its first lines opened."""
    text = "\n".join(lines)
    return text.count("{") <= text.count("}")


def _fits(lines: list[str]) -> bool:
    return sum(map(len, lines)) + len(lines) <= _MAX_CHARS


def _one_of(options: Sequence[T], chunk: CodeChunk, why: str) -> T:
    return pick(options, "cut", why, chunk.chunk_id)


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" \t"))

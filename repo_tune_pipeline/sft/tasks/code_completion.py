"""Code with a piece left out → the piece: the rest, the next statement, or one in the middle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict, ellipsis_of

FORMS = (
    "Complete the following code from {repo}:",
    "Complete the following code from {path} in {repo}:",
    "Continue this {language} code from {path} in {repo}:",
    "Write the rest of `{symbol}` from {path} in {repo}:",
)
NEXT_FORMS = (
    "Write the next statement of this {language} code from {path} in {repo}:",
    "Which statement comes next in `{symbol}` from {repo}?",
    "Give only the statement that follows this code from {path} in {repo}:",
    "Continue `{symbol}` from {path} in {repo} by one statement:",
)
MIDDLE_FORMS = (
    "Fill in the code that is missing at {marker} in `{symbol}` from {repo}:",
    "In this code from {path} in {repo}, {marker} stands for missing lines. Write them:",
    "Write the lines that {marker} replaces in this {language} code from {repo}:",
    "What belongs in place of {marker} in this code from {path} in {repo}?",
)
T = TypeVar("T")
MARKER = "<<<MISSING>>>"
MAX_CONTEXT = 1_400
"""Characters of code shown; of a longer prefix the beginning is left out."""
_SHORT_LINES, _LONG_LINES, _MAX_CHARS = 6, 24, 900
_STATEMENT_LINES = 8
_ENOUGH_LINES = 8
_MIN_LETTERS = 12
_MIN_WORDS = 3
_WORD = re.compile(r"[^\W\d_]{2,}")
_COMMENTS = ("#", "//", "/*", "*", "--", '"""', "'''", "%", ";")


class _Piece(NamedTuple):
    """Rows [start, end) of the source are left out."""

    start: int
    end: int
    way: str


class CodeCompletion:
    """One to four examples a chunk, as many as its length is good for, cut between statements.

    Input and output together are the chunk's source, less its common indent; of a long prefix
    only the signature and the last lines are shown.
    """

    name: TaskName = "code_completion"
    version = "2"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind not in ("section", "module")

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        if view.code_problem == "unparseable":
            yield Dropped("unparseable")
            return
        lines = dedent(view.chunk.source.replace("\r\n", "\n")).split("\n")
        pieces = list(_pieces(view.chunk, lines))
        if not pieces:
            yield Dropped("no_cut_point")
        for piece in pieces:
            yield _draft(view, lines, piece)


def split_at(source: str, cut: int) -> tuple[str, str]:
    """`source` cut at the beginning of a line, both parts less the indent of the whole."""
    lines = dedent(source).split("\n")
    line = source.count("\n", 0, cut)
    return "\n".join([*lines[:line], ""]), "\n".join(lines[line:])


def _pieces(chunk: CodeChunk, lines: list[str]) -> Iterator[_Piece]:
    """A short rest, a long rest, a middle and a next statement, none of them cut alike."""
    rows = _cut_rows(chunk) or _member_rows(lines, _docs_rows(chunk))
    total = len(lines)
    wanted = 1 + (total >= 6) + (total >= 12) + (total >= 22)
    late = [row for row in rows if total - row <= _LONG_LINES]
    rests = [row for row in late if _fits(lines[row:]) and _tells(lines[row:])]
    short = [row for row in rests if total - row <= _SHORT_LINES] or rests[-1:]
    found: list[_Piece] = []
    if short:
        found.append(_Piece(_one_of(short, chunk, "short"), total, "rest"))
    statements = [piece for piece in _statements(rows, lines) if _whole(lines, piece)]
    middles = [piece for piece in statements if _tells(lines[piece.end :])]
    if middles:
        found.append(_one_of(middles, chunk, "middle")._replace(way="middle"))
    long = [row for row in rests if row not in short]
    if long:
        found.append(_Piece(_one_of(long, chunk, "long"), total, "rest"))
    if statements:
        found.append(_one_of(statements, chunk, "next"))
    starts: set[int] = set()
    for piece in found[: 4 if wanted > 3 else wanted]:
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


def _docs_rows(chunk: CodeChunk) -> int:
    """How many of the first rows the docs take."""
    return chunk.source.count("\n", 0, chunk.doc_span[1]) + 1 if chunk.doc_span else 0


def _member_rows(lines: list[str], docs: int) -> list[int]:
    """Where members or arms of a definition without statements begin: fields, cases, entries."""
    inner = [row for row in range(max(docs, 1) + 1, len(lines)) if lines[row].strip()]
    deeper = [row for row in inner if _indent(lines[row]) > _indent(lines[docs - 1 if docs else 0])]
    least = min((_indent(lines[row]) for row in deeper), default=0)
    return [
        row
        for row in deeper
        if _indent(lines[row]) == least and lines[row].lstrip()[0] not in ")]}>"
    ]


def _statements(rows: list[int], lines: list[str]) -> Iterator[_Piece]:
    """Each statement up to the next one that isn't inside it."""
    for index, row in enumerate(rows[:-1]):
        indent = _indent(lines[row])
        end = next((each for each in rows[index + 1 :] if _indent(lines[each]) <= indent), None)
        if end is not None and _indent(lines[end]) == indent and end - row <= _STATEMENT_LINES:
            last = end
            while last > row + 1 and _is_empty(lines[last - 1]):
                last -= 1
            yield _Piece(row, last, "next")


def _is_empty(line: str) -> bool:
    """Whether a line is blank or a comment: at a statement's end it belongs to the next one."""
    return not line.strip() or line.lstrip().startswith(_COMMENTS[:3])


def _whole(lines: list[str], piece: _Piece) -> bool:
    """Whether a piece says something and closes the brackets it opens, no more and no fewer."""
    part = lines[piece.start : piece.end]
    text = "\n".join(part)
    pairs = ("()", "[]", "{}")
    balanced = all(text.count(left) == text.count(right) for left, right in pairs)
    return balanced and text.count('"""') % 2 == 0 and text.count("`") % 2 == 0 and _tells(part)


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


def _fits(lines: list[str]) -> bool:
    return sum(map(len, lines)) + len(lines) <= _MAX_CHARS


def _one_of(options: Sequence[T], chunk: CodeChunk, why: str) -> T:
    return pick(options, "cut", why, chunk.chunk_id)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _draft(view: ChunkView, lines: list[str], piece: _Piece) -> Verdict:
    output = "\n".join(lines[piece.start : piece.end])
    prefix, first = _shown_prefix(view, lines[: piece.start])
    after = lines[piece.end :]
    if piece.way == "middle":
        after = after[: _rows_within(after, MAX_CONTEXT - min(len(prefix), MAX_CONTEXT // 2))]
        if MARKER in prefix or not after:
            return Dropped("no_cut_point")
        shown = f"{prefix}{MARKER}\n" + "\n".join(after)
        last = piece.end + len(after)
        forms = MIDDLE_FORMS
    else:
        shown, last = prefix, piece.end
        forms = FORMS if piece.way == "rest" else NEXT_FORMS
    start = view.chunk.start_line
    return Draft(
        instruction=view.instruction(forms, f"completion_{piece.way}", marker=MARKER),
        input=shown,
        output=output,
        origin="source",
        lines=(start + first, start + last - 1),
    )


def _shown_prefix(view: ChunkView, before: list[str]) -> tuple[str, int]:
    """The lines before the piece, or the signature and the last of them; the first row shown."""
    text = "\n".join([*before, ""])
    header = _header(view)
    if len(text) <= MAX_CONTEXT:
        return (f"{header}{text}" if view.chunk.part[0] > 1 else text), 0
    room = max(MAX_CONTEXT - len(header), MAX_CONTEXT // 2)
    kept = before[len(before) - _rows_within(before[::-1], room) :]
    return header + "\n".join([*kept, ""]), len(before) - len(kept)


def _header(view: ChunkView) -> str:
    """The whole definition's signature, and a mark that lines after it aren't shown."""
    signature = " ".join(view.chunk.signature.split())
    gap = ellipsis_of(view.chunk.language)
    shown = signature and len(signature) <= MAX_CONTEXT // 4
    return f"{signature}\n{gap}\n" if shown else f"{gap}\n"


def _rows_within(lines: list[str], chars: int) -> int:
    """How many of the first lines fit into `chars` characters."""
    for number, line in enumerate(lines):
        chars -= len(line) + 1
        if chars < 0:
            return number
    return len(lines)

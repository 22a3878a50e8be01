"""Code with a piece left out → the piece: the rest, the next statement, or one in the middle."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.cuts import Piece, begins, docs_rows, indent, is_empty, pieces_of
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict, ellipsis_of

FORMS = (
    "Complete the following code of `{symbol}` from {repo}:",
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
    "Write the lines that {marker} replaces in this {language} code from {path} in {repo}:",
    "What belongs in place of {marker} in this code from {path} in {repo}?",
)
MARKER = "<<<MISSING>>>"
MAX_CONTEXT = 1_400
"""Characters of code shown; of a longer prefix the beginning is left out."""

_LEAST_SHOWN = 3


class CodeCompletion:
    """One to six examples a chunk, as many as its length is good for, cut between statements.

    Input and output together are the chunk's source, less its common indent; of a long prefix
    only the signature and the last lines are shown.
    """

    name: TaskName = "code_completion"
    version = "9"

    def takes(self, view: ChunkView) -> bool:
        return view.chunk.kind not in ("section", "module")

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        if view.code_problem == "unparseable":
            yield Dropped("unparseable")
            return
        lines = dedent(view.chunk.source.replace("\r\n", "\n")).split("\n")
        pieces = list(pieces_of(view.chunk, lines))
        if not pieces:
            yield Dropped("no_cut_point")
        for piece in pieces:
            yield _draft(view, lines, piece)


def split_at(source: str, cut: int) -> tuple[str, str]:
    """`source` cut at the beginning of a line, both parts less the indent of the whole."""
    lines = dedent(source).split("\n")
    line = source.count("\n", 0, cut)
    return "\n".join([*lines[:line], ""]), "\n".join(lines[line:])


def _draft(view: ChunkView, lines: list[str], piece: Piece) -> Verdict:
    output = "\n".join(lines[piece.start : piece.end])
    found = _shown_prefix(view, lines[: piece.start])
    if found is None:
        return Dropped("cut_inside_statement")
    prefix, first = found
    after = lines[piece.end :]
    if piece.way == "middle":
        fitting = _rows_within(after, MAX_CONTEXT - min(len(prefix), MAX_CONTEXT // 2))
        while 0 < fitting < len(after) and is_empty(after[fitting - 1]):
            fitting -= 1
        if MARKER in prefix or not fitting:
            return Dropped("no_cut_point")
        whole = fitting == len(after) and view.chunk.part[0] == view.chunk.part[1]
        after = after[:fitting]
        mark = "" if whole and view.last_line else f"\n{ellipsis_of(view.chunk.language)}"
        shown = f"{prefix}{MARKER}\n" + "\n".join(after) + mark
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


def _shown_prefix(view: ChunkView, before: list[str]) -> tuple[str, int] | None:
    """The lines before the piece, or the signature and the last of them; the first row shown.

    What is left out ends where a statement or the docs do: a reader can't make out the end of
    something whose beginning isn't there. None where no statement begins near enough.
    """
    text = "\n".join([*before, ""])
    header = _header(view)
    if len(text) <= MAX_CONTEXT:
        return (f"{header}{text}" if view.chunk.part[0] > 1 else text), 0
    room = max(MAX_CONTEXT - len(header), MAX_CONTEXT // 2)
    least = len(before) - _rows_within(before[::-1], room)
    docs = docs_rows(view.chunk)
    if least <= docs < len(before):
        # A docstring stands inside what it is of: without its signature, a body says little.
        inside = indent(next(filter(str.strip, before[docs:]), "")) > indent(before[0])
        shown = header if inside else f"{ellipsis_of(view.chunk.language)}\n"
        return shown + "\n".join([*before[docs:], ""]), docs
    rows = [row for row in begins(view.chunk, before) if row >= least]
    early = [row for row in rows if row - least <= (len(before) - least) // 2] or rows[:1]
    # The outermost: of what begins deep inside something the reader sees only the closing.
    first = min(early, key=lambda row: (indent(before[row]), row), default=len(before))
    if len(before) - first < _LEAST_SHOWN:
        return None
    return header + "\n".join([*before[first:], ""]), first


def _header(view: ChunkView) -> str:
    """The whole definition's signature, and a mark that lines after it aren't shown."""
    signature = view.signature
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

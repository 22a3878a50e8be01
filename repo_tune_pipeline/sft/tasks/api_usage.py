"""A definition → how other code of the repository uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict, plain_name

FORMS = (
    "Show how `{symbol}` is used in {repo}.",
    "Give an example of the use of `{symbol}` from {path} in {repo}.",
    "How is the {noun} `{symbol}` used in {repo}? Show real code.",
    "Name one place where {repo} uses `{symbol}` ({path}), and show the code.",
)
MOST_EXAMPLES = 3
_BEFORE, _FAR, _AFTER = 3, 10, 10
_MAX_CHARS = 900
_LEAST_ROWS, _MOST_ROWS = 4, 12
_LEAST_WORDS = 4
_CONTINUED = (".", "->", "?", "|>", "&&", "||", "+", "++", ":")
_OPEN = ("=", "->", "=>", "&&", "||", "+", "?", ":")
_CLOSING = (")", "]", "}", ">", "/>")
_ELEMENT_END = re.compile(r"(?:/>|</[\w.]*>)\s*\Z")
_WORD = re.compile(r"[^\W\d_]{2,}")


class ApiUsage:
    """The answer is the piece of a real caller that holds the call, with its file and lines."""

    name: TaskName = "api_usage"
    version = "7"

    def takes(self, view: ChunkView) -> bool:
        chunk = view.chunk
        defined = chunk.kind in ("function", "method", "type") and chunk.part[0] == 1
        return defined and bool(view.links.callers)

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        if view.links.namesakes[0] != 1 or not view.symbol:
            yield Dropped("ambiguous")
            return
        sites = [site for caller in view.links.callers if (site := _site(view.chunk, caller))]
        if not sites:
            yield Dropped("no_usage")
        for number, (caller, (first, last), text) in enumerate(sites[:MOST_EXAMPLES]):
            lines = f"line {first}" if first == last else f"lines {first} to {last}"
            answer = f"`{plain_name(caller)}` uses it in `{caller.path}`, {lines}:\n\n"
            yield Draft(
                instruction=view.instruction(FORMS, f"{self.name}_{number}"),
                input=view.signature,
                output=f"{answer}```{caller.language.lower()}\n{text}\n```",
                origin="source",
                at=caller,
                lines=(first, last),
                also=(view.chunk.path,) if caller.path != view.chunk.path else (),
            )


def _site(target: CodeChunk, caller: CodeChunk) -> tuple[CodeChunk, tuple[int, int], str] | None:
    """The first whole statement that holds a call, with what stands around it; absolute rows."""
    source = caller.source.replace("\r\n", "\n")
    lines = source.split("\n")
    name = called_name(target)
    if "```" in source:
        return None
    starts = sorted({caller.source.count("\n", 0, cut) for cut in caller.cut_points})
    for row in _call_rows(lines, name, caller):
        for first in _beginnings(lines, starts, row, name):
            rows = _whole(lines, starts, first, row)
            text = dedent("\n".join(lines[rows[0] : rows[1] + 1])) if rows else ""
            if rows and len(text) <= _MAX_CHARS and _tells(text, name):
                start = caller.start_line
                return caller, (start + rows[0], start + rows[1]), text
    return None


def _beginnings(lines: list[str], starts: list[int], row: int, name: str) -> list[int]:
    """Where the statement of a row may begin, the nearest first.

    A line that goes on with what stands above it, or an arm of a switch, is no beginning.
    """
    if lines[row].lstrip().startswith(f"<{name}"):
        return [row]
    near = [start for start in reversed(starts) if row - _FAR <= start <= row] or [row]
    return [
        start
        for start in near
        if not lines[start].lstrip().startswith((*_CONTINUED, "|", *_CLOSING))
    ]


def _whole(lines: list[str], starts: list[int], first: int, row: int) -> tuple[int, int] | None:
    """The rows of the statement from `first` on and of its neighbours; None if it isn't whole."""
    last = _closing(lines, first, row)
    if last is None or lines[last].rstrip().endswith(","):
        return None
    first, last = _widened(lines, starts, first, last)
    level = _indent(lines[first])
    deep = all(_indent(line) >= level for line in lines[first:last] if line.strip())
    quotes = "\n".join(lines[first : last + 1]).count('"""')
    return (first, last) if deep and quotes % 2 == 0 else None


def _widened(lines: list[str], starts: list[int], first: int, last: int) -> tuple[int, int]:
    """A few more rows: the statements before and after it, at its own depth, each whole."""
    indent = _indent(lines[first])
    earlier = [start for start in starts if start < first]
    if earlier and _indent(lines[earlier[-1]]) == indent and first - earlier[-1] <= _BEFORE:
        ends = _closing(lines, earlier[-1], first - 1)
        apart = lines[earlier[-1] : first] if ends is None else lines[ends + 1 : first]
        level = all(_indent(line) >= indent for line in lines[earlier[-1] : first] if line.strip())
        first = earlier[-1] if level and not any(map(str.strip, apart)) else first
    while last - first + 1 < _LEAST_ROWS:
        later = next((start for start in starts if start > last), None)
        if later is None or _indent(lines[later]) != indent:
            break
        ends = _closing(lines, later, later)
        if ends is None or ends - first + 1 > _MOST_ROWS or later - last > _BEFORE:
            break
        last = ends
    return first, last


def _tells(text: str, name: str) -> bool:
    """Whether the piece shows more of the use than the bare name of what is called."""
    return len(set(_WORD.findall(text)) - {name}) >= _LEAST_WORDS


def called_name(target: CodeChunk) -> str:
    """What stands at a call: of a ReScript component that is its module's name."""
    names = plain_name(target).split(".")
    component = target.language == "ReScript" and names[-1] == "make" and len(names) > 1
    return names[-2] if component else last_name(target.symbol)


def _closing(lines: list[str], first: int, row: int) -> int | None:
    """The first row from `row` on at which every bracket opened since `first` is closed."""
    depth = 0
    for number in range(first, min(row + _AFTER + 1, len(lines))):
        line = lines[number]
        depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
        if depth < 0:
            return None
        element = any(lines[each].lstrip().startswith("<") for each in (first, row))
        ended = not line.rstrip().endswith(_OPEN)
        closed = not element or _ELEMENT_END.search("\n".join(lines[first : number + 1]))
        whole = depth == 0 and ended and closed
        behind = lines[number + 1].lstrip() if number + 1 < len(lines) else ""
        if number >= row and whole and not behind.startswith(_CONTINUED):
            return number
        if number >= row and depth == 0 and line.rstrip().endswith(":"):
            return _block_end(lines, first, number)
    return None


def _block_end(lines: list[str], first: int, head: int) -> int | None:
    """The last row of a Python block that begins at `head`; None where it is long, or none."""
    last = head
    for number in range(head + 1, len(lines)):
        if lines[number].strip() and _indent(lines[number]) <= _indent(lines[first]):
            break
        last = number if lines[number].strip() else last
    return last if head < last <= head + _AFTER else None


def _call_rows(lines: list[str], name: str, caller: CodeChunk) -> Iterator[int]:
    """The rows after the docs on which `name` is called."""
    docs = caller.doc_span
    after = caller.source.count("\n", 0, docs[1]) + 1 if docs else 0
    skip = after if docs and docs[0] == 0 else 1
    for row in range(max(skip, after), len(lines)):
        comment = lines[row].lstrip().startswith(("#", "//", "*", "--"))
        if not comment and _calls(lines[row], name):
            yield row


def _calls(line: str, name: str) -> bool:
    start = line.find(name)
    while start >= 0:
        before, behind = line[start - 1 : start], line[start + len(name) :].lstrip()
        ends = behind[:1] in ("(", "{", "<", "!", ">", "/") or f"<{name}" in line
        if not (before.isalnum() or before == "_") and ends:
            return True
        start = line.find(name, start + 1)
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))

"""Source text of a chunk as a reader wants it: without its common indent, without its docs."""

from __future__ import annotations

import ast
import warnings


def dedent(source: str) -> str:
    """`source` without the indent that all its lines share.

    Lines keep their number and, beyond that indent, every character; a line of nothing but
    blanks that is shorter than the indent becomes empty.
    """
    lines = source.split("\n")
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip()]
    margin = min(indents, key=len, default="")
    while not all(indent.startswith(margin) for indent in indents):
        margin = margin[:-1]
    if not margin:
        return source
    return "\n".join(
        line[len(margin) :] if line.startswith(margin) else line.lstrip(" \t") for line in lines
    )


def without_doc(source: str, span: tuple[int, int] | None) -> str:
    """`source` without the docstring or comment at `span`, and without the lines it filled.

    The span may take in the blanks and the line end around the text.
    """
    if span is None:
        return source
    text = source[slice(*span)]
    start = span[0] + len(text) - len(text.lstrip())
    end = max(start, span[0] + len(text.rstrip()))
    line_start = source.rfind("\n", 0, start) + 1
    line_end = source.find("\n", end)
    line_end = len(source) if line_end < 0 else line_end
    before, after = source[line_start:start], source[end:line_end]
    if before.strip() or after.strip(" \t\r;"):
        told = source[end:].lstrip(" \t;")
        parted = len(told) == len(source) - end or source[start - 1 : start].isspace()
        return f"{source[:start]}{'' if parted else ' '}{told}"
    rest = source[line_end + 1 :].split("\n")
    while rest and not rest[0].strip():
        rest.pop(0)
    head = source[:line_start]
    return head + "\n".join(rest) if rest else head.rstrip("\n")


def parse_python(code: str) -> ast.AST | None:
    """The first statement of `code`, which may be indented, or None if it isn't Python.

    Only parses: nothing of `code` is run or compiled.
    """
    # A multi-line string at column 0 keeps a method indented after `dedent`.
    for text in (code, f"if True:\n{code}"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        first = body[0] if body else None
        if isinstance(first, ast.If) and text is not code:
            return first.body[0]
        return first
    return None

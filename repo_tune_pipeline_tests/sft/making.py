"""Chunks of small texts, made by hand so that these tests need no earlier stage; examples."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from repo_tune_pipeline.records import CodeChunk, SftExample, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.links import link
from repo_tune_pipeline.sft.making import make_for_file
from repo_tune_pipeline.sft.packs import load_packs

PACKS = load_packs(Path(__file__).parents[2] / "configs" / "domains", ["general", "hyperswitch"])
QUEUE = '''class Queue:
    """A queue of jobs with a fixed room."""

    def hold(self, job, *, timeout: float = 1.0) -> bool:
        """Add a job at the end.

        Waits until there is room.

        Args:
            job: what to run.
        """
        if self.closed:
            raise QueueClosed(job)
        self.measure_room(job)
        return wait_for_room(self, timeout)

    def drain(self):
        while self.jobs:
            start_job(self.jobs)
            report_progress(self)
        return close_store(self.jobs, self.room)
'''


def made(chunks: list[CodeChunk], *tasks: TaskName) -> list[SftExample]:
    links = link(chunks)
    outcomes = make_for_file(chunks, links, settings=SftSettings(tasks=tasks), packs=PACKS)
    return [each.example for each in outcomes.made]


def python_chunks(
    text: str, *, path: str = "pkg/mod.py", repo: str = "acme/tools", commit: str = "c" * 40
) -> list[CodeChunk]:
    """A chunk for each function and method of `text` (Python, unindented lines unchanged)."""
    return [
        _chunk(text, node, symbol, repo, path, commit)
        for symbol, node in _definitions(ast.parse(text), "")
    ]


def section(
    heading: str, body: str, *, path: str = "README.md", repo: str = "acme/tools", line: int = 1
) -> CodeChunk:
    source = f"## {heading}\n\n{body}"
    return CodeChunk(
        chunk_id=_id(repo, path, source),
        repo=repo,
        commit="c" * 40,
        path=path,
        language="Markdown",
        license="MIT",
        kind="section",
        symbol=heading,
        signature=f"## {heading}",
        docstring="",
        doc_span=None,
        source=source,
        start_line=line,
        end_line=line + source.count("\n"),
    )


def library(files: int = 40, repo: str = "acme/tools") -> list[CodeChunk]:
    """Functions over many files, all different and all documented: enough for both sides."""
    chunks: list[CodeChunk] = []
    for number in range(files):
        text = FUNCTION.format(number=number)
        chunks += python_chunks(text, path=f"pkg/part_{number}.py", repo=repo)
    return chunks


FUNCTION = '''def load_config_{number}(path, default={number}):
    """Read setting number {number} from the configuration file.

    A missing file gives the default.
    """
    text = read_text(path)
    if not text:
        return default
    values = parse_yaml(text)
    return values["setting_{number}"]
'''


def _definitions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _definitions(node, f"{node.name}.")


def _chunk(text: str, node: ast.stmt, symbol: str, repo: str, path: str, commit: str) -> CodeChunk:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    lines = text.split("\n")
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    last = node.end_lineno or first
    source = "\n".join(lines[first - 1 : last])

    def offset(line: int, column: int) -> int:
        before = lines[first - 1 : line - 1]
        return sum(len(text) + 1 for text in before) + len(
            lines[line - 1].encode()[:column].decode()
        )

    body = node.body[0]
    documented = ast.get_docstring(node) is not None
    span = None
    if documented:
        end = offset(body.end_lineno or body.lineno, body.end_col_offset or 0)
        span = (offset(body.lineno, body.col_offset), end)
    statements = node.body[1:] if documented else node.body
    calls = sorted(
        (call for call in ast.walk(node) if isinstance(call, ast.Call)),
        key=lambda call: (call.lineno, call.col_offset),
    )
    kind = "type" if isinstance(node, ast.ClassDef) else "method" if "." in symbol else "function"
    return CodeChunk(
        chunk_id=_id(repo, path, symbol, source),
        repo=repo,
        commit=commit,
        path=path,
        language="Python",
        license="MIT",
        kind=kind,
        symbol=symbol,
        signature=lines[node.lineno - 1].strip(),
        docstring=ast.get_docstring(node) or "",
        doc_span=span,
        source=source,
        start_line=first,
        end_line=last,
        cut_points=tuple(
            offset(statement.lineno, 0)
            for statement in statements
            if statement.lineno > node.lineno
        ),
        callees=tuple(dict.fromkeys(ast.unparse(call.func) for call in calls)),
    )


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]

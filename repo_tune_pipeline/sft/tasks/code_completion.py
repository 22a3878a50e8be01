"""A prefix cut where a statement begins → the rest of the block."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict

FORMS = (
    "Complete the following code from {repo}:",
    "Complete the following code from {path} in {repo}:",
    "Continue this {language} code from {path} in {repo}:",
    "Write the rest of `{symbol}` from {path} in {repo}:",
)
MAX_LINES = 12
MAX_CHARS = 800
MIN_LETTERS = 8


class CodeCompletion:
    """Input and output together are the chunk's source, less its common indent."""

    name: TaskName = "code_completion"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind != "section"

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        chunk = view.chunk
        cuts = [cut for cut in chunk.cut_points if _fits(chunk, cut)]
        if not cuts:
            yield Dropped("no_cut_point")
            return
        prefix, rest = split_at(chunk.source, pick(cuts, "cut", chunk.chunk_id))
        yield Draft(view.instruction(FORMS, self.name), prefix, rest, "source")


def split_at(source: str, cut: int) -> tuple[str, str]:
    """`source` cut at the beginning of a line, both parts less the indent of the whole."""
    lines = dedent(source).split("\n")
    line = source.count("\n", 0, cut)
    return "\n".join([*lines[:line], ""]), "\n".join(lines[line:])


def _fits(chunk: CodeChunk, cut: int) -> bool:
    """Whether the rest is short, says something, and holds none of the docs."""
    rest = chunk.source[cut:]
    after_docs = chunk.doc_span is None or cut >= chunk.doc_span[1]
    enough = sum(character.isalnum() for character in rest[: 4 * MIN_LETTERS]) >= MIN_LETTERS
    short = len(rest) <= MAX_CHARS and rest.rstrip().count("\n") < MAX_LINES
    return 0 < cut < len(chunk.source) and after_docs and enough and short

"""Code with its docs taken out → the docs."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict

FORMS = (
    "Write documentation for the following code from {repo}:",
    "Write the {doc} for this {noun} from {path} in {repo}:",
    "Document `{symbol}` from {path} in {repo}:",
)


class Documentation:
    """The answer is the docstring or leading comment, without its markers."""

    name: TaskName = "documentation"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind != "section"

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        docstring = view.chunk.docstring.strip()
        if problem := view.doc_problem or view.code_problem:
            yield Dropped(problem)
        elif view.chunk.doc_span is None or docstring in view.code:
            yield Dropped("answer_in_input")
        else:
            word = "docstring" if view.chunk.language == "Python" else "documentation comment"
            instruction = view.instruction(FORMS, self.name, doc=word)
            yield Draft(instruction, view.code, docstring, "docstring")

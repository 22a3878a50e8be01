"""Code with its docs taken out → the docs; a document's heading → its section."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.sections import read_section
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict

FORMS = (
    "Write documentation for the following code from {repo}, without comment markers:",
    "Write the text of the {doc} for this {noun} from {path} in {repo}:",
    "Document `{symbol}` from {path} in {repo} as plain text:",
    "This {language} {noun} from {repo} isn't documented. Write the text of its {doc}:",
)
SECTION_FORMS = (
    'What does {path} in {repo} say about "{heading}"?',
    'What do the documents of {repo} say about "{heading}"? See {path}.',
    'Give the text of {path} in {repo} from the heading "{heading}" to the next one.',
    'What is written under "{heading}" in {path} of {repo}?',
)
RELEASE_FORMS = (
    "What changed in {release} of {repo}?",
    "Give the entry for {release} in {path} of {repo}.",
    "Which changes does {path} in {repo} list for {release}?",
    "What is new in {repo} {release}, according to {path}?",
)


class Documentation:
    """The answer is the docstring or leading comment without its markers, or a section's text."""

    name: TaskName = "documentation"
    version = "5"

    def takes(self, view: ChunkView) -> bool:
        return view.chunk.kind == "section" or view.is_documented

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        yield self._of_section(view) if view.chunk.kind == "section" else self._of_code(view)

    def _of_code(self, view: ChunkView) -> Verdict:
        if problem := view.doc_problem or view.code_problem:
            return Dropped(problem)
        if not view.paragraph:
            return Dropped("boilerplate_docstring")
        if view.chunk.doc_span is None or view.docs in view.code:
            return Dropped("answer_in_input")
        word = "docstring" if view.chunk.language == "Python" else "documentation comment"
        instruction = view.instruction(FORMS, self.name, doc=word)
        return Draft(instruction, view.shown, view.docs, "docstring")

    def _of_section(self, view: ChunkView) -> Verdict:
        section = read_section(view.chunk)
        if section.problem:
            return Dropped(section.problem)
        if section.release:
            form = pick(RELEASE_FORMS, self.name, view.chunk.chunk_id)
            instruction = form.format(
                repo=view.repo_name, path=view.chunk.path, release=section.release
            )
        else:
            instruction = view.instruction(SECTION_FORMS, self.name, heading=section.heading)
        return Draft(instruction, "", section.body, "document")

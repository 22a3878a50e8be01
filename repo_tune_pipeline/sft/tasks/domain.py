"""Questions about a domain's topics, answered by documented code and by document sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.packs import DomainPack, best_topic
from repo_tune_pipeline.sft.prose import as_sentence, listing
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict

SECTION_FORMS = (
    'What does {path} in {repo} say about "{heading}"?',
    'What do the documents of {repo} say about "{heading}"? See {path}.',
    'Give the section "{heading}" of {path} in {repo}.',
)
_HEADING = re.compile(
    r"\A\s*(?:#{1,6}[^\n]*|[^\n]+\n[ \t]*(?:=+|-{2,})[ \t]*\r?(?=\n|\Z))(?:\n|\Z)"
)


class Domain:
    """Sections answer for their heading; documented code answers for the topic it belongs to."""

    name: TaskName = "domain"

    def __init__(self, packs: Sequence[DomainPack]) -> None:
        self.packs = tuple(packs)

    def takes(self, chunk: CodeChunk) -> bool:  # noqa: ARG002 (the protocol's form)
        return True

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        yield self._from_section(view) if view.chunk.kind == "section" else self._from_code(view)

    def _from_section(self, view: ChunkView) -> Verdict:
        text = view.chunk.source.replace("\r\n", "\n")
        body = _HEADING.sub("", text, count=1).strip()
        heading = " ".join(view.chunk.symbol.split())
        if not heading:
            return Dropped("no_heading")
        instruction = view.instruction(SECTION_FORMS, self.name, heading=heading)
        return Draft(instruction, "", body, "document")

    def _from_code(self, view: ChunkView) -> Verdict:
        chunk = view.chunk
        if problem := view.doc_problem or view.code_problem:
            return Dropped(problem)
        topic = best_topic(self.packs, chunk) if view.paragraph else None
        if topic is None:
            return Dropped("no_topic")
        question = pick(topic.questions, self.name, chunk.chunk_id).format(
            topic=topic.title, repo=view.repo_name, symbol=view.symbol, path=chunk.path
        )
        done = "tested" if chunk.kind == "test" else "done"
        answer = [
            f"In {view.repo_name}, this is {done} by the {view.noun} `{view.symbol}` in "
            f"`{chunk.path}`.",
            as_sentence(view.paragraph, last_name(view.chunk.symbol)),
        ]
        if calls := view.facts.calls:
            answer.append(f"It calls {listing(calls)}.")
        return Draft(question, view.code, " ".join(answer), "docstring")

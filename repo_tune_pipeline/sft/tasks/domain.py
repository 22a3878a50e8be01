"""Questions about a domain's topics, answered by documented code and by document sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.packs import DomainPack, DomainTopic, best_topic
from repo_tune_pipeline.sft.prose import article, as_sentence
from repo_tune_pipeline.sft.sections import read_section
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict
from repo_tune_pipeline.sft.tasks.code_explanation import call_sentence
from repo_tune_pipeline.sft.words import words_of

SECTION_FORMS = (
    'On {topic}: what does {repo} document under "{heading}" ({path})?',
    'I work on {topic} with {repo}. What should I know of "{heading}", which {path} describes?',
    'Quote what {path} of {repo} says on {topic} under "{heading}".',
    'Which part of {repo}\'s documents on {topic} is headed "{heading}" in {path}? Quote it.',
)


class Domain:
    """Sections answer for the topic of their heading; documented code for the topic it is of."""

    name: TaskName = "domain"
    version = "4"

    def __init__(self, packs: Sequence[DomainPack]) -> None:
        self.packs = tuple(packs)

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind != "module" and chunk.part[1] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        yield self._from_section(view) if view.chunk.kind == "section" else self._from_code(view)

    def _from_section(self, view: ChunkView) -> Verdict:
        section = read_section(view.chunk)
        if section.problem or section.release:
            return Dropped(section.problem or "no_topic")
        topic = best_topic(self.packs, view.chunk)
        # The heading itself has to name the topic: a word somewhere in the text makes no answer.
        if topic is None or not topic.vocabulary & words_of(section.heading):
            return Dropped("no_topic")
        form = pick(SECTION_FORMS, self.name, view.chunk.chunk_id)
        instruction = form.format(
            topic=topic.title, repo=view.repo_name, heading=section.heading, path=view.chunk.path
        )
        return Draft(instruction, "", section.body, "document")

    def _from_code(self, view: ChunkView) -> Verdict:
        if problem := view.doc_problem or view.code_problem:
            return Dropped(problem)
        topic = best_topic(self.packs, view.chunk) if view.paragraph else None
        if topic is None or not self._is_about(topic, view):
            return Dropped("no_topic")
        chunk = view.chunk
        question = pick(topic.questions, self.name, chunk.chunk_id).format(
            topic=topic.title, repo=view.repo_name, symbol=view.symbol, path=chunk.path
        )
        answer = [
            f"`{view.symbol}` is {article(view.noun)} in `{chunk.path}` of {view.repo_name}.",
            as_sentence(view.paragraph, last_name(chunk.symbol)),
        ]
        if calls := call_sentence(view):
            answer.append(calls)
        return Draft(question, view.code, " ".join(answer), "docstring")

    @staticmethod
    def _is_about(topic: DomainTopic, view: ChunkView) -> bool:
        """Whether the name itself, or the description more than in passing, is about the topic."""
        name = last_name(view.chunk.symbol)
        told = topic.vocabulary & words_of(f"{name} {view.paragraph}")
        return len(told) > 1 or bool(told & words_of(name))

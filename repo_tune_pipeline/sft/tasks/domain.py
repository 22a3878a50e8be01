"""Questions about a domain's topics, answered by documented code and by document sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.packs import DomainPack, DomainTopic, best_topic
from repo_tune_pipeline.sft.sections import Section, read_section
from repo_tune_pipeline.sft.sentences import article, as_sentence
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict
from repo_tune_pipeline.sft.tasks.code_explanation import call_sentence
from repo_tune_pipeline.sft.test_code import is_test_code
from repo_tune_pipeline.sft.words import words_of

SECTION_FORMS = (
    'On {topic}: what does {repo} document under "{heading}" ({path})?',
    'I work on {topic} with {repo}. What should I know of "{heading}", which {path} describes?',
    'Quote what {path} of {repo} says on {topic} under "{heading}".',
    '{repo} and {topic}: give the text that {path} has under "{heading}".',
)

_LEAST_TOLD = 3


class Domain:
    """Sections answer for the topic of their heading; documented code for the topic it is of."""

    name: TaskName = "domain"
    version = "6"

    def __init__(self, packs: Sequence[DomainPack]) -> None:
        self.packs = tuple(packs)

    def takes(self, view: ChunkView) -> bool:
        kind = view.chunk.kind
        return kind == "section" or (kind != "module" and view.is_documented)

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        yield self._from_section(view) if view.chunk.kind == "section" else self._from_code(view)

    def _from_section(self, view: ChunkView) -> Verdict:
        section = read_section(view.chunk)
        if section.problem or section.release:
            return Dropped(section.problem or "no_topic")
        topic = best_topic(self.packs, view.chunk)
        if topic is None or not self._is_on(topic, section, view.chunk.repo):
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
        return Draft(question, view.shown, " ".join(answer), "docstring")

    def _is_on(self, topic: DomainTopic, section: Section, repo: str) -> bool:
        """Whether the heading names the topic, and the text, too, where no pack is at home."""
        if not topic.vocabulary & words_of(section.heading):
            return False
        told = topic.vocabulary & words_of(f"{section.heading} {section.body}")
        return self._is_home(topic, repo) or len(told) >= _LEAST_TOLD

    def _is_home(self, topic: DomainTopic, repo: str) -> bool:
        return any(pack.is_home(repo) for pack in self.packs if topic in pack.topics)

    def _is_about(self, topic: DomainTopic, view: ChunkView) -> bool:
        """Whether name and description are about the topic, and more than in passing.

        Where a pack is at home one word in the name tells; "url" or "object" elsewhere doesn't.
        """
        chunk = view.chunk
        if chunk.kind == "test" or is_test_code(chunk.path):
            return False
        named = words_of(chunk.symbol)
        told = topic.vocabulary & (named | words_of(view.paragraph))
        return bool(told & named) if self._is_home(topic, chunk.repo) else len(told) > 1

"""The teacher as `build_dataset` calls it: chunks in, finished examples and rejections out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repo_tune_pipeline.clients import connect
from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.making import Outcomes, make_from_drafts
from repo_tune_pipeline.sft.split import split_side
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict
from repo_tune_pipeline.sft.teacher.enrich import Taught, enrich, require_consent
from repo_tune_pipeline.shelf import Shelf

_FORMS: dict[TaskName, tuple[str, ...]] = {
    "code_explanation": (
        "Explain in some sentences what this code from {repo} does:",
        "What is the purpose of `{symbol}` in {repo}, and how does it work?",
        "Walk through `{symbol}` from {path} in {repo}:",
    ),
    "documentation": (
        "Write the missing documentation of `{symbol}` from {repo}:",
        "`{symbol}` in {path} of {repo} has no documentation. Write it:",
    ),
}


@dataclass
class TeacherRun:
    """One run's teacher; what several repositories ask counts in one budget each."""

    settings: SftSettings
    answers: Path
    report: Callable[[str], None] = lambda _text: None
    stopped: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        teacher = self.settings.teacher
        require_consent(teacher)
        assert teacher.provider
        self._client = connect(
            teacher.provider,
            model=teacher.model,
            base_url=teacher.base_url,
            key_variable=teacher.key_variable,
            timeout_seconds=teacher.timeout_seconds,
        )

    def __call__(self, chunks: Sequence[CodeChunk]) -> Outcomes:
        """What the teacher makes of one repository's chunks; held-out files aren't asked about."""
        share = self.settings.heldout_share
        enriched = enrich(
            [c for c in chunks if split_side(c.repo, c.path, share) == "train"],
            self.settings.teacher,
            client=self._client,
            answers=Shelf(self.answers),
            code_of=lambda chunk: ChunkView(chunk).code,
            report=self.report,
        )
        if enriched.stopped:
            self.stopped.append(enriched.stopped)
        refused: list[tuple[TaskName, CodeChunk, Verdict]] = [
            (task, chunk, Dropped(reason)) for chunk, task, reason in enriched.refused
        ]
        drafts = list(_drafts(enriched.taught, self._client.model))
        return make_from_drafts([*drafts, *refused], settings=self.settings)


def _drafts(taught: Sequence[Taught], model: str) -> Iterator[tuple[TaskName, CodeChunk, Verdict]]:
    for each in taught:
        view = ChunkView(each.chunk)
        if each.task == "domain":
            instruction = each.lesson.question
            if view.repo_name not in instruction:
                instruction = f"In {view.repo_name}: {instruction}"
        else:
            form = pick(_FORMS[each.task], "teacher", each.chunk.chunk_id)
            instruction = form.format(repo=view.repo_name, symbol=view.symbol, path=each.chunk.path)
        draft = Draft(instruction, view.code, each.lesson.answer, f"teacher:{model}")
        yield each.task, each.chunk, draft

"""Chunks → lessons in the teacher's words, within the budget, each criticised before it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from repo_tune_pipeline.clients import Client
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.settings import TeacherSettings
from repo_tune_pipeline.sft.teacher.asking import Asker
from repo_tune_pipeline.sft.teacher.budget import Budget, BudgetSpentError, Spent
from repo_tune_pipeline.sft.teacher.judging import lesson_in
from repo_tune_pipeline.sft.teacher.prompts import (
    Lesson,
    asks_for,
    critique_prompt,
    lesson_prompt,
    read_critique,
)
from repo_tune_pipeline.shelf import Shelf

MAX_ANSWER_TOKENS = 700
MAX_CRITIQUE_TOKENS = 200
MIN_LINES = 4
"""Shorter code says by itself what it does."""
JUDGED_BEFORE_STOP = 20
"""Replies before the share of usable ones counts."""


@dataclass(frozen=True, slots=True)
class Taught:
    """One usable lesson about one chunk."""

    chunk: CodeChunk
    task: TaskName
    lesson: Lesson


@dataclass(frozen=True, slots=True)
class Enriched:
    """What the teacher gave.

    `refused` are (chunk, task, reason). `stopped` says why not everything was asked, or is empty;
    the next run goes on from there.
    """

    taught: tuple[Taught, ...]
    refused: tuple[tuple[CodeChunk, TaskName, str], ...]
    stopped: str
    spent: Spent


@dataclass(frozen=True, slots=True)
class _Question:
    chunk: CodeChunk
    task: TaskName
    code: str


def require_consent(settings: TeacherSettings) -> None:
    """Check that whoever configured a teacher knows that code leaves this machine.

    Raises:
        ConfigError: they didn't say so, or a task is named that no teacher makes.
    """
    if not settings.i_may_send_this_code:
        raise ConfigError(
            f"`sft.teacher.provider` is {settings.provider}: the code of your repositories would "
            "be sent to it, and a provider's unpaid tier may use what it is sent.",
            "Set `sft.teacher.i_may_send_this_code: true` if you may, or `provider: ''`.",
        )
    for task in settings.tasks:
        if not asks_for(task):
            raise ConfigError(
                f"`sft.teacher.tasks` names {task}, which no teacher makes.",
                "Allowed here: code_explanation, documentation, domain.",
            )


def enrich(
    chunks: Iterable[CodeChunk],
    settings: TeacherSettings,
    *,
    client: Client,
    answers: Shelf,
    code_of: Callable[[CodeChunk], str],
    report: Callable[[str], None] = lambda _text: None,
    first_wait_seconds: float = 1.0,
) -> Enriched:
    """Ask about `chunks` until all are asked, the budget is spent or hardly a reply is usable.

    Args:
        chunks: those that may be sent: past the gates for licences and secrets.
        settings: tasks, budget, concurrency.
        client: the teacher.
        answers: where replies are kept; one that is there is not asked for again.
        code_of: a chunk's code as the example will show it.
        report: told how it goes, a line at a time.
        first_wait_seconds: before the first repetition; doubled each time.

    Raises:
        ConfigError: no consent, or the server refuses the key or the model.
        TeacherError: the server doesn't answer.
    """
    require_consent(settings)
    budget = Budget(settings)
    asker = Asker(client, answers, budget, first_wait_seconds)
    taught: list[Taught] = []
    refused: list[tuple[CodeChunk, TaskName, str]] = []
    stopped = ""
    questions = _questions(chunks, settings, code_of)
    for question, outcome in _all(asker, questions, settings.concurrency):
        if isinstance(outcome, BudgetSpentError):
            stopped = f"the budget's {outcome} is reached"
            break
        if isinstance(outcome, Lesson):
            taught.append(Taught(question.chunk, question.task, outcome))
        else:
            refused.append((question.chunk, question.task, outcome))
        judged = len(taught) + len(refused)
        if judged >= JUDGED_BEFORE_STOP and len(taught) < settings.min_yield * judged:
            stopped = f"only {len(taught)} of {judged} replies could be used"
            break
    if stopped:
        report(f"The teacher was stopped: {stopped}.")
    return Enriched(
        tuple(sorted(taught, key=lambda each: _order(each.chunk, each.task))),
        tuple(sorted(refused, key=lambda each: _order(each[0], each[1]))),
        stopped,
        budget.spent(),
    )


def _questions(
    chunks: Iterable[CodeChunk], settings: TeacherSettings, code_of: Callable[[CodeChunk], str]
) -> list[_Question]:
    """In an order that mixes files and tasks, so that a small budget is spread over all."""
    found = [
        _Question(chunk, task, code_of(chunk))
        for chunk in chunks
        for task in settings.tasks
        if _worth_asking(chunk, task)
    ]
    return sorted(found, key=lambda each: _order(each.chunk, each.task))


def _worth_asking(chunk: CodeChunk, task: TaskName) -> bool:
    if chunk.kind == "section" or chunk.end_line - chunk.start_line + 1 < MIN_LINES:
        return False
    return task != "documentation" or not chunk.docstring


def _order(chunk: CodeChunk, task: TaskName) -> bytes:
    return hashlib.blake2b(f"{task}\0{chunk.chunk_id}".encode(), digest_size=16).digest()


Outcome = Lesson | str | BudgetSpentError


def _all(
    asker: Asker, questions: Sequence[_Question], concurrency: int
) -> Iterator[tuple[_Question, Outcome]]:
    """Each question's outcome as they come; what wasn't asked when the caller stops never is."""
    waiting = iter(questions)
    under_way: dict[Future[Outcome], _Question] = {}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="teacher") as pool:
        try:
            while True:
                while len(under_way) < concurrency and (question := next(waiting, None)):
                    under_way[pool.submit(_outcome, asker, question)] = question
                if not under_way:
                    return
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    yield under_way.pop(future), future.result()
        finally:
            asker.stop()


def _outcome(asker: Asker, question: _Question) -> Outcome:
    """One lesson, criticised; or the reason why there is none."""
    chunk, code = question.chunk, question.code
    prompt = lesson_prompt(question.task, chunk.symbol, chunk.path, chunk.repo, code)
    if holds_secret(prompt):
        return "secret"
    try:
        lesson = lesson_in(asker.ask(prompt, MAX_ANSWER_TOKENS), chunk.symbol)
        if isinstance(lesson, str):
            return lesson
        if question.task == "domain" and not lesson.question.endswith("?"):
            return "teacher_malformed"
        critique = critique_prompt(chunk.symbol, chunk.path, code, lesson)
        if holds_secret(critique):
            return "secret"
        verdict = asker.ask(critique, MAX_CRITIQUE_TOKENS)
    except BudgetSpentError as error:
        return error
    faithful = read_critique(verdict.text) if verdict.finish == "stop" else None
    if faithful is None:
        return "teacher_uncriticised"
    return lesson if faithful else "teacher_unfaithful"

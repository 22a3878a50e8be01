"""Gemini on the same questions, over the same passages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from repo_tune_pipeline.clients import connect
from repo_tune_pipeline.clients.connect import GEMINI_KEY
from repo_tune_pipeline.errors import ConfigError, ModelServerError
from repo_tune_pipeline.evaluation.cells import GEMINI_RETRIEVAL
from repo_tune_pipeline.evaluation.predicting import Predicted, Questions, Report, Timing, judged
from repo_tune_pipeline.evaluation.predictions import Outcome
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.models.remote import RemoteAnswerer
from repo_tune_pipeline.settings import AnsweringSettings


def gemini_wanted(settings: AnsweringSettings, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a key, and somebody said that the code may be sent."""
    return settings.i_may_send_this_code and bool(environ.get(GEMINI_KEY))


def ask_gemini(
    found: Predicted,
    questions: Questions,
    settings: AnsweringSettings,
    *,
    limit: int,
    report: Report,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Add Gemini's answers to the predictions, or none of them.

    Args:
        found: is changed.
        questions: as the other models were asked; only such as were answered there.
        settings: where it is, and how long to wait.
        limit: how many questions at most; each is charged.
        report: told of progress.
        say: told why it was left out.

    Returns:
        `{model, asked, refused}`, or `{model, problem}` where it gave no answer to one.
    """
    cell, given = GEMINI_RETRIEVAL, questions.contexts[GEMINI_RETRIEVAL.context]
    chosen = questions.generated[:limit]
    answers: dict[str, Answer] = {}
    began = time.monotonic()
    name = "gemini"
    try:
        client = connect(
            "gemini",
            base_url=settings.gemini_url,
            timeout_seconds=settings.timeout_seconds,
            environ=os.environ,
        )
        answerer = RemoteAnswerer(client)
        name = answerer.name
        for one in chosen:
            prompt = Prompt(one.instruction, given.input(one))
            [answers[one.meta.id]] = answerer.answer([prompt], max_tokens=questions.max_new_tokens)
            report(f"{cell.title}: answering", len(answers), len(chosen))
    except (ConfigError, ModelServerError) as error:
        # The local models' numbers stand without it.
        say(f"Gemini is left out: {error}")
        return {"model": name, "problem": error.problem}
    references = questions.references()
    for one in found.predictions:
        answer = answers.get(one.example.meta.id)
        if answer is not None:
            reference = references[one.example.meta.id]
            terms = judged(one.example, answer, reference, questions)
            one.outcomes[cell] = Outcome(terms, answer)
    tokens = sum(answer.tokens for answer in answers.values())
    found.timings[cell] = Timing(
        answers=len(answers), answer_tokens=tokens, answering_seconds=time.monotonic() - began
    )
    refused = sum(bool(answer.refusal) for answer in answers.values())
    return {"model": name, "asked": len(answers), "refused": refused}

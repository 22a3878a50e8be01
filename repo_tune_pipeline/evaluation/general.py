"""What was forgotten: code and prose from elsewhere, before and after."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from repo_tune_pipeline.elsewhere import Text, descriptions, package_code
from repo_tune_pipeline.evaluation.bootstrap import Terms, paired_difference
from repo_tune_pipeline.evaluation.measures import judge, reference_of
from repo_tune_pipeline.evaluation.predicting import Scored
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import ExampleMeta, SftExample
from repo_tune_pipeline.settings import EvaluationSettings

_CHARS = 1_200
_SHOWN_LINES, _HIDDEN_LINES = 18, 6
_MAX_SHOWN_BYTES = 800
"""Some code is all numbers, with a token a byte; it too has to fit into the context."""


class Model(Protocol):
    """A model that foretells texts and answers."""

    def score_texts(self, texts: Sequence[str]) -> Sequence[Scored]: ...

    def answer(self, prompts: Sequence[Prompt], *, max_tokens: int) -> list[Answer]: ...

    def count_tokens(self, text: str) -> int: ...


@dataclass(frozen=True, slots=True)
class GeneralTexts:
    """Texts from elsewhere, and completions made of that code."""

    code: tuple[str, ...]
    prose: tuple[str, ...]
    completions: tuple[SftExample, ...]

    @property
    def digest(self) -> str:
        joined = "\0".join((*self.code, *self.prose))
        return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def general_texts(count: int, without: Sequence[str] = ()) -> GeneralTexts:
    """The same texts whenever the same is installed.

    Args:
        count: how many of code, and of prose.
        without: repositories under evaluation, as owner/name, of which nothing is taken.
    """
    code = list(islice(package_code(judged=True, files=1, without=without), count))
    prose = islice(descriptions(judged=True, without=without), count)
    completions = [found for text in code if (found := _completion(text))]
    return GeneralTexts(
        tuple(_excerpt(text.text) for text in code),
        tuple(_excerpt(text.text) for text in prose),
        tuple(completions),
    )


def measure_general(
    models: Mapping[str, Model], texts: GeneralTexts, settings: EvaluationSettings
) -> dict[str, Any]:
    """`general` of report.json.

    Args:
        models: `base` and `adapter`.
        texts: from `general_texts`.
        settings: of the intervals, and how long an answer is.

    Returns:
        For `code`, `prose` and `all`: bits per byte of both, and `change`, adapter - base as a
        share of the base's, with its interval; for `completion` the edit similarity of both.
    """
    kinds = {"code": texts.code, "prose": texts.prose}
    kinds = {kind: some for kind, some in kinds.items() if some}
    terms: dict[str, dict[str, list[Terms]]] = {}
    for name, model in models.items():
        terms[name] = {kind: _terms(model, some) for kind, some in kinds.items()}
        terms[name]["all"] = [one for kind in kinds for one in terms[name][kind]]
    told: dict[str, Any] = {
        kind: _change(terms["base"][kind], terms["adapter"][kind], settings)
        for kind in (*kinds, "all")
        if terms["base"][kind]
    }
    if texts.completions:
        told["completion"] = {
            **{
                name: _edit_similarity(model, texts.completions, settings)
                for name, model in models.items()
            },
            "n": len(texts.completions),
        }
    return {**told, "texts_sha256": texts.digest}


def _terms(model: Model, texts: Sequence[str]) -> list[Terms]:
    scores = model.score_texts(texts)
    return [
        (score.nats / math.log(2), float(len(text.encode("utf-8", "replace"))))
        for score, text in zip(scores, texts, strict=True)
    ]


def _change(
    base: Sequence[Terms], adapter: Sequence[Terms], settings: EvaluationSettings
) -> dict[str, float | int]:
    found = paired_difference(
        adapter,
        base,
        range(len(base)),
        resamples=settings.bootstrap_resamples,
        seed=settings.seed,
    )
    before = sum(term[0] for term in base) / sum(term[1] for term in base)
    told: dict[str, float | int] = {"n": len(base), "base": before}
    if found is not None:
        told |= {
            "adapter": before + found.difference,
            "change": found.difference / before,
            "low": found.low / before,
            "high": found.high / before,
        }
    return told


def _edit_similarity(
    model: Model, examples: Sequence[SftExample], settings: EvaluationSettings
) -> float:
    prompts = [Prompt(one.instruction, one.input) for one in examples]
    answers = model.answer(prompts, max_tokens=settings.max_new_tokens)
    references = (
        reference_of(one, settings.max_new_tokens, model.count_tokens) for one in examples
    )
    values = [
        judge(one, answer.text, reference, None)
        for one, answer, reference in zip(examples, answers, references, strict=True)
    ]
    return sum(value["edit_similarity"][0] for value in values) / len(values)


def _completion(text: Text) -> SftExample | None:
    """A slice from the middle of a file, cut between lines, as a completion is asked for."""
    lines = text.text.split("\n")
    middle = len(lines) // 2
    shown = lines[max(0, middle - _SHOWN_LINES) : middle]
    while len("\n".join(shown).encode()) > _MAX_SHOWN_BYTES:
        del shown[0]
    hidden = lines[middle : middle + _HIDDEN_LINES]
    if not "".join(hidden).strip() or not "".join(shown).strip():
        return None
    meta = ExampleMeta(
        id=text.path,
        task="code_completion",
        repo=text.project,
        commit="",
        path=text.path,
        start_line=0,
        end_line=0,
        symbol="",
        language="Python",
        license="",
        origin="source",
        chunk_id="",
    )
    instruction = f"Continue this Python code from {text.path} in {text.project}:"
    return SftExample(instruction, "\n".join([*shown, ""]), "\n".join(hidden), meta)


def _excerpt(text: str) -> str:
    start = text.find("\n", max(0, len(text) // 2 - _CHARS)) + 1
    return text[start : start + _CHARS]

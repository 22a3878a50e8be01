"""What was forgotten: code and prose from elsewhere, before and after.

The code is Python's standard library, the prose what installed distributions say of themselves:
both are on every machine that runs this, and no team's own.
"""

from __future__ import annotations

import hashlib
import math
import re
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Protocol

from repo_tune_pipeline.evaluation.bootstrap import Terms, paired_difference
from repo_tune_pipeline.evaluation.measures import judge, reference_of
from repo_tune_pipeline.evaluation.predicting import Scored
from repo_tune_pipeline.models.protocol import Answer, Prompt
from repo_tune_pipeline.records import ExampleMeta, SftExample
from repo_tune_pipeline.settings import EvaluationSettings

_CHARS = 1_200
_SHOWN_LINES, _HIDDEN_LINES = 18, 6
_PICTURES = re.compile(r"\[?!\[[^\]]*\]\([^)]*\)(?:\]\([^)]*\))?|<[^>\n]+>")
_LEFT_OUT = frozenset({"test", "tests", "site-packages", "dist-packages", "lib2to3", "idlelib"})


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
        without: names of repositories under evaluation, whose own description is left out.
    """
    names = {name.rpartition("/")[2].lower() for name in without}
    code = [] if "cpython" in names else list(_library(count))
    completions = [found for name, text in code if (found := _completion(name, text))]
    return GeneralTexts(
        tuple(_excerpt(text) for _, text in code),
        tuple(_excerpt(text) for text in _descriptions(count, names)),
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


def _library(count: int) -> Iterator[tuple[str, str]]:
    if not count:
        return
    root = Path(sysconfig.get_paths()["stdlib"])
    names = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if not _LEFT_OUT & set(path.relative_to(root).parts)
    )
    for name in sorted(names, key=_place):
        text = _read(root / name)
        if len(text) >= 2 * _CHARS:
            yield name, text
            count -= 1
        if not count:
            return


def _descriptions(count: int, without: set[str]) -> Iterator[str]:
    if not count:
        return
    found: dict[str, str] = {}
    for one in distributions():
        payload = one.metadata.get_payload()  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(payload, str) and one.metadata["Name"].lower() not in without:
            found[one.metadata["Name"]] = _PICTURES.sub("", payload)
    for name in sorted(found, key=_place):
        if len(found[name]) >= 2 * _CHARS:
            yield found[name]
            count -= 1
        if not count:
            return


def _completion(name: str, text: str) -> SftExample | None:
    """A slice from the middle of a file, cut between lines, as a completion is asked for."""
    lines = text.split("\n")
    middle = len(lines) // 2
    shown = lines[max(0, middle - _SHOWN_LINES) : middle]
    hidden = lines[middle : middle + _HIDDEN_LINES]
    if not "".join(hidden).strip() or not "".join(shown).strip():
        return None
    meta = ExampleMeta(
        id=name,
        task="code_completion",
        repo="python/cpython",
        commit="",
        path=f"Lib/{name}",
        start_line=0,
        end_line=0,
        symbol="",
        language="Python",
        license="PSF-2.0",
        origin="source",
        chunk_id="",
    )
    instruction = f"Continue this Python code from Lib/{name} in cpython:"
    return SftExample(instruction, "\n".join([*shown, ""]), "\n".join(hidden), meta)


def _excerpt(text: str) -> str:
    start = text.find("\n", max(0, len(text) // 2 - _CHARS)) + 1
    return text[start : start + _CHARS]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _place(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()

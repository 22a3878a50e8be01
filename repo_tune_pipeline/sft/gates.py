"""The gates that every draft passes or is turned away at, with a reason."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

from repo_tune_pipeline.records import CodeChunk, ExampleMeta, Rejection, SftExample, TaskName
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.tasks.base import Draft, Dropped, Placed, Verdict

MIN_OUTPUT_CHARS = 12
_PROSE: frozenset[TaskName] = frozenset({"code_explanation", "documentation", "domain"})
_QUOTED = re.compile(r"(?<!`)`([^`\n]{1,200})`(?!`)")


@dataclass(frozen=True, slots=True)
class Made:
    """A finished example.

    `also` are other paths of the repository whose text stands in it; `quotes` are the names that
    its answer quotes and neither its input nor its source hold: the repository must.
    """

    example: SftExample
    also: tuple[str, ...]
    quotes: tuple[str, ...]


class Outcomes(NamedTuple):
    """What was made and what wasn't, a reason each."""

    made: list[Made]
    rejections: list[Rejection]


class _Taken(NamedTuple):
    task: TaskName
    repo: str
    placed: Placed
    chunk_id: str
    source: str


class Maker:
    """Collects verdicts and judges them; the very same example twice is one and a rejection."""

    def __init__(self, settings: SftSettings) -> None:
        self._max_chars = settings.max_example_chars
        self._taken: list[_Taken] = []
        self._refused: list[Rejection] = []

    def take_chunk(self, task: TaskName, chunk: CodeChunk, verdict: Verdict) -> None:
        if isinstance(verdict, Dropped):
            self.refuse(task, chunk, verdict.reason)
            return
        at = verdict.at or chunk
        start, end = verdict.lines or (at.start_line, at.end_line)
        placed = Placed(
            verdict, at.path, start, end, chunk.symbol, at.language, at.license, at.commit
        )
        self._taken.append(_Taken(task, chunk.repo, placed, chunk.chunk_id, at.source))

    def refuse(self, task: str, chunk: CodeChunk, reason: str) -> None:
        lines = (chunk.start_line, chunk.end_line)
        self._refused.append(
            Rejection("sft", reason, chunk.repo, chunk.path, *lines, chunk.symbol, task)
        )

    def take_placed(self, task: TaskName, repo: str, placed: Placed) -> None:
        self._taken.append(_Taken(task, repo, placed, "", ""))

    def outcomes(self) -> Outcomes:
        """What all that was taken comes to."""
        found = Outcomes([], list(self._refused))
        seen: set[str] = set()
        suspicious = self._holds_secret()
        for each in self._taken:
            made = self._judged(each, seen, suspicious)
            if isinstance(made, Made):
                found.made.append(made)
            else:
                found.rejections.append(made)
        return found

    def _holds_secret(self) -> bool:
        """Whether any text does: several examples share most of them, and each is scanned once."""
        verdicts = (each.placed.verdict for each in self._taken)
        texts = (text for one in verdicts if isinstance(one, Draft) for text in _texts(one))
        return holds_secret("\n\n".join(dict.fromkeys(texts)))

    def _judged(self, taken: _Taken, seen: set[str], suspicious: bool) -> Made | Rejection:
        draft = taken.placed.verdict
        if isinstance(draft, Dropped):
            return _rejection(taken, draft.reason)
        if reason := self._problem(draft, suspicious):
            return _rejection(taken, reason)
        example = _example(taken, draft)
        if example.meta.id in seen:
            return _rejection(taken, "duplicate_example")
        seen.add(example.meta.id)
        quotes = _unheld(draft, taken.source) if taken.task in _PROSE else ()
        return Made(example, draft.also, quotes)

    def _problem(self, draft: Draft, suspicious: bool) -> str:
        answer = draft.output.strip()
        if suspicious and holds_secret("\n".join(_texts(draft))):
            return "secret"
        if not answer:
            return "empty_output"
        if len(answer) < MIN_OUTPUT_CHARS:
            return "too_short"
        return "too_long" if sum(map(len, _texts(draft))) > self._max_chars else ""


def _texts(draft: Draft) -> tuple[str, str, str]:
    return draft.instruction, draft.input, draft.output


def _rejection(taken: _Taken, reason: str) -> Rejection:
    placed = taken.placed
    # A heading or name may itself be the secret.
    symbol = "" if reason == "secret" else placed.symbol
    lines = (placed.start_line, placed.end_line)
    return Rejection("sft", reason, taken.repo, placed.path, *lines, symbol, taken.task)


def _example(taken: _Taken, draft: Draft) -> SftExample:
    placed = taken.placed
    identity = (taken.task, taken.repo, placed.path, taken.chunk_id, *_texts(draft))
    meta = ExampleMeta(
        id=_digest("\0".join(identity)),
        task=taken.task,
        repo=taken.repo,
        commit=placed.commit,
        path=placed.path,
        start_line=placed.start_line,
        end_line=placed.end_line,
        symbol=placed.symbol,
        language=placed.language,
        license=placed.license,
        origin=draft.origin,
        chunk_id=taken.chunk_id,
    )
    return SftExample(draft.instruction, draft.input, draft.output, meta)


def _unheld(draft: Draft, source: str) -> tuple[str, ...]:
    """The quoted names that neither the question nor the source hold."""
    quoted = dict.fromkeys(_QUOTED.findall(draft.output))
    held = (draft.instruction, draft.input, source)
    return tuple(name for name in quoted if not any(name in text for text in held))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

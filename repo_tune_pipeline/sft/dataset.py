"""Chunks → examples on two sides, with every candidate that became none counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from repo_tune_pipeline.artifacts import digest_json
from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.records import CodeChunk, ExampleMeta, Funnel, Rejection, SftExample
from repo_tune_pipeline.secrets import holds_secret
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.gates import ChunkGates, ExampleGates
from repo_tune_pipeline.sft.packs import DomainPack
from repo_tune_pipeline.sft.split import split_side
from repo_tune_pipeline.sft.tasks import make_tasks
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Task, Verdict

SFT_VERSION = "1"
"""Raised whenever the same chunks and settings would give other examples than before."""


@dataclass(frozen=True)
class Dataset:
    """Examples of both sides, each in a mixed but fixed order.

    `funnel` counts candidates. A candidate is one chunk for one task: every enabled task that
    takes the chunk's kind (sections go to `domain` alone, code to all) sees it once. It is
    kept as one example or dropped for one reason, the first that applies, so that
    ``seen = kept + dropped`` and ``kept = len(train) + len(heldout)``. A chunk that is a copy or
    holds a secret is dropped once for each task that would have seen it.

    `rejections` holds one line for each dropped candidate, after those of the stages before.
    `repositories` maps each repository to its commit, `packs` each domain pack to its digest.
    """

    train: tuple[SftExample, ...]
    heldout: tuple[SftExample, ...]
    rejections: tuple[Rejection, ...]
    funnel: Funnel
    repositories: dict[str, str] = field(default_factory=dict[str, str])
    packs: dict[str, str] = field(default_factory=dict[str, str])

    def counts(self) -> dict[str, object]:
        """Numbers of examples: by side, and within each by task, repository and language."""
        return {
            "train": count_examples(self.train),
            "heldout": count_examples(self.heldout),
        }


def count_examples(examples: Sequence[SftExample]) -> dict[str, object]:
    """How many examples there are, by task, repository and language; keys are sorted."""

    def tally(key: str) -> dict[str, int]:
        return dict(sorted(Counter(getattr(example.meta, key) for example in examples).items()))

    return {
        "examples": len(examples),
        "by_task": tally("task"),
        "by_repo": tally("repo"),
        "by_language": tally("language"),
    }


def build_dataset(
    chunks: Sequence[CodeChunk],
    *,
    settings: SftSettings,
    packs: Sequence[DomainPack],
    upstream: Sequence[Rejection] = (),
) -> Dataset:
    """Make every example that the chunks' own text gives, and split them by file.

    The result depends on the chunks, not on their order. `upstream` are the rejections of the
    stages before, kept for `rejects.jsonl`.

    Raises:
        ConfigError: a task of the settings that this version doesn't make.
        EmptyInputError: no example was kept, or one side has too few; names the counts.
    """
    examples: list[SftExample] = []
    rejections: list[Rejection] = []
    for outcome in _outcomes(chunks, make_tasks(settings.tasks, packs), settings):
        if isinstance(outcome, SftExample):
            examples.append(outcome)
        else:
            rejections.append(outcome)
    funnel = Funnel.of("sft", len(examples), (rejection.reason for rejection in rejections))
    if not examples:
        raise EmptyInputError(
            f"No example could be made from {len(chunks)} chunks: {describe_funnel(funnel)}.",
            "Ingest a repository with documented code in a supported language.",
        )
    sides: dict[str, list[SftExample]] = {"train": [], "heldout": []}
    for example in sorted(examples, key=_mixed):
        meta = example.meta
        sides[split_side(meta.repo, meta.path, settings.heldout_share)].append(example)
    _require_both(sides, settings)
    return Dataset(
        train=tuple(sides["train"]),
        heldout=tuple(sides["heldout"]),
        rejections=tuple(_without_secrets(rejection) for rejection in (*upstream, *rejections)),
        funnel=funnel,
        repositories=dict(sorted({chunk.repo: chunk.commit for chunk in chunks}.items())),
        packs={pack.name: digest_json(pack.model_dump(mode="json")) for pack in packs},
    )


def describe_funnel(funnel: Funnel) -> str:
    """One funnel on one line: "12 candidates seen, 0 kept, 12 dropped (too_long 2, …)"."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in funnel.dropped.items())
    dropped = sum(funnel.dropped.values())
    tail = f" ({reasons})" if reasons else ""
    return f"{funnel.seen} candidates seen, {funnel.kept} kept, {dropped} dropped{tail}"


def _outcomes(
    chunks: Sequence[CodeChunk], tasks: Sequence[Task], settings: SftSettings
) -> Iterator[SftExample | Rejection]:
    chunk_gates, example_gates = ChunkGates(), ExampleGates(settings.max_example_chars)
    for chunk in sorted(chunks, key=_place):
        takers = [task for task in tasks if task.takes(chunk)]
        if reason := chunk_gates.reason(chunk):
            yield from (_rejection(chunk, task, reason) for task in takers)
            continue
        view = ChunkView(chunk)
        # Every task's example holds the whole code: what is too long for one is so for all.
        if len(view.code) > settings.max_example_chars:
            yield from (_rejection(chunk, task, "too_long") for task in takers)
            continue
        for task in takers:
            for verdict in task.examples(view):
                yield _judge(chunk, task, verdict, example_gates)


def _judge(
    chunk: CodeChunk, task: Task, verdict: Verdict, gates: ExampleGates
) -> SftExample | Rejection:
    if isinstance(verdict, Dropped):
        return _rejection(chunk, task, verdict.reason)
    if reason := gates.reason(verdict.instruction, verdict.input, verdict.output):
        return _rejection(chunk, task, reason)
    return _example(chunk, task, verdict)


def _example(chunk: CodeChunk, task: Task, draft: Draft) -> SftExample:
    identity = (task.name, chunk.chunk_id, draft.instruction, draft.input, draft.output)
    meta = ExampleMeta(
        id=_sha256("\0".join(identity))[:16],
        task=task.name,
        repo=chunk.repo,
        commit=chunk.commit,
        path=chunk.path,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        symbol=chunk.symbol,
        language=chunk.language,
        license=chunk.license,
        origin=draft.origin,
        chunk_id=chunk.chunk_id,
    )
    return SftExample(draft.instruction, draft.input, draft.output, meta)


def _rejection(chunk: CodeChunk, task: Task, reason: str) -> Rejection:
    return Rejection(
        stage="sft",
        reason=reason,
        repo=chunk.repo,
        path=chunk.path,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        # A heading or name may itself be the secret.
        symbol="" if reason == "secret" else chunk.symbol,
        task=task.name,
    )


def _without_secrets(rejection: Rejection) -> Rejection:
    if not holds_secret(rejection.symbol):
        return rejection
    return Rejection(
        rejection.stage,
        rejection.reason,
        rejection.repo,
        rejection.path,
        rejection.start_line,
        rejection.end_line,
        task=rejection.task,
    )


def _require_both(sides: dict[str, list[SftExample]], settings: SftSettings) -> None:
    train, heldout = len(sides["train"]), len(sides["heldout"])
    if heldout < settings.min_heldout_examples:
        raise EmptyInputError(
            f"Of {train + heldout} examples only {heldout} are held out, where "
            f"{settings.min_heldout_examples} are needed to evaluate an adapter.",
            f"Raise sft.heldout_share (now {settings.heldout_share:g}), or ingest more.",
        )
    if not train:
        raise EmptyInputError(
            f"All {heldout} examples are held out: none is left to train on.",
            f"Lower sft.heldout_share (now {settings.heldout_share:g}), or ingest more.",
        )


def _place(chunk: CodeChunk) -> tuple[str, str, int, int, str, str]:
    return (
        chunk.repo,
        chunk.path,
        chunk.start_line,
        chunk.end_line,
        chunk.symbol,
        chunk.chunk_id,
    )


def _mixed(example: SftExample) -> tuple[str, str]:
    return _sha256(example.meta.id), example.meta.id


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

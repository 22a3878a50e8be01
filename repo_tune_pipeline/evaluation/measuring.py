"""One evaluation from plan to numbers: the models, what they are asked, the controls."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from repo_tune_pipeline import ingestion
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.evaluation.cells import (
    ADAPTER,
    ADAPTER_PLAIN,
    ADAPTER_RETRIEVAL,
    BASE,
    BASE_PLAIN,
    BASE_RETRIEVAL,
    PLACEBO_PLAIN,
    PLAIN,
    RETRIEVAL,
    Cell,
)
from repo_tune_pipeline.evaluation.contexts import NOTHING, Context, retrieved
from repo_tune_pipeline.evaluation.general import general_texts, measure_general
from repo_tune_pipeline.evaluation.leaks import Leaks, find_leaks
from repo_tune_pipeline.evaluation.measures import Vocabulary
from repo_tune_pipeline.evaluation.memorisation import memorisation, recited
from repo_tune_pipeline.evaluation.pair import load_pair, share_cores
from repo_tune_pipeline.evaluation.parity import measure_parity
from repo_tune_pipeline.evaluation.plan import EvaluationPlan
from repo_tune_pipeline.evaluation.predicting import Model, Predicted, Questions, Report, predict
from repo_tune_pipeline.evaluation.predictions import Prediction
from repo_tune_pipeline.evaluation.remote import ask_gemini
from repo_tune_pipeline.evaluation.report import Measured
from repo_tune_pipeline.evaluation.selection import Selection, by_hash, matches, select
from repo_tune_pipeline.evaluation.verdict import Controls
from repo_tune_pipeline.models.quiet import quietly
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.retrieval import Hit, connect_embedder, search
from repo_tune_pipeline.sft import read_examples
from repo_tune_pipeline.training import read_learned

if TYPE_CHECKING:
    from repo_tune_pipeline.models.local import LocalModel

_MORE_HITS = 16
"""Beyond those that are shown, since some are left out."""
_TRAINED = 120
"""Training examples that are scored, beside the held-out ones."""


def measure(plan: EvaluationPlan, say: Callable[[str], None], report: Report) -> Measured:
    """Load the models one after the other, ask them, and take every control.

    Raises:
        BaseModelError: the base model can't be loaded.
        EvaluationError: an adapter can't be loaded, or gives no numbers.
        EmptyInputError: no held-out example is the variant's and fits the model.
    """
    settings = plan.settings.evaluation
    say("comparing what was trained with what is served")
    with quietly():
        parity = measure_parity(plan.base_model, plan.adapter, plan.work_dir)
        pair = load_pair(plan.base_model, plan.adapter)
    base, adapted = pair.base, pair.adapted
    heldout = _read(plan, "heldout.jsonl")
    selection = select(heldout, filter=plan.filter, settings=settings, reader=adapted)
    if not selection.examples:
        raise EmptyInputError(_nothing_left(plan, selection), "Ingest more, or widen the variant.")
    say("searching")
    given = _passages(plan, selection, adapted)
    questions = Questions(
        selection,
        {PLAIN: NOTHING, RETRIEVAL: given},
        _vocabularies(plan, selection.examples),
        settings.max_new_tokens,
        adapted.count_tokens,
    )
    predicted = predict(
        {
            BASE_PLAIN: base,
            ADAPTER_PLAIN: adapted,
            BASE_RETRIEVAL: base,
            ADAPTER_RETRIEVAL: adapted,
        },
        questions,
        report,
        at_once=share_cores if pair.apart else None,
    )
    models: dict[str, LocalModel] = {BASE: base, ADAPTER: adapted}
    say("looking for leaks, and for what was forgotten and learned by heart")
    leaks, memorised = _memory(
        plan, models, selection, heldout, _learned_from(plan), predicted, report
    )
    repositories = sorted({one.meta.repo for one in selection.examples})
    elsewhere = general_texts(settings.general_texts, repositories)
    general = measure_general(models, elsewhere, settings) if elsewhere.code else {}
    both: dict[Cell, Model] = {BASE_PLAIN: base, ADAPTER_PLAIN: adapted}
    recent = _scored(both, _recent(plan, adapted), report)
    device, dtype = adapted.device, adapted.dtype
    models.clear()
    both.clear()
    del adapted, base, pair
    gc.collect()
    _add_placebo(plan, questions, predicted, recent, report)
    gemini: dict[str, Any] = {}
    if plan.gemini:
        gemini = ask_gemini(
            predicted,
            questions,
            plan.settings.answering,
            limit=settings.max_gemini,
            report=report,
            say=say,
        )
    return Measured(
        selection=selection,
        predicted=predicted,
        recent=tuple(recent),
        controls=Controls(leaks, general, memorised, parity),
        device=device,
        dtype=dtype,
        retrieval=given.counts,
        gemini=gemini,
    )


def _passages(plan: EvaluationPlan, selection: Selection, reader: LocalModel) -> Context:
    limit = plan.settings.answering.passages
    embedder = connect_embedder(plan.settings.retrieval.embedding)

    def find(question: str) -> list[Hit]:
        return search(plan.index, question, limit=limit + _MORE_HITS, embedder=embedder)

    return retrieved(
        selection.examples,
        find,
        reader,
        limit=limit,
        max_tokens=plan.settings.evaluation.max_new_tokens,
    )


def _learned_from(plan: EvaluationPlan) -> list[SftExample]:
    """What was put before the trainer; all that was chosen where there is no record of that."""
    learned = read_learned(plan.adapter)
    chosen = by_hash(
        one for one in _read(plan, "sft.jsonl") if matches(one, plan.filter) and one.output
    )
    return [one for one in chosen if learned is not None and learned.has_read(one)] or chosen


def _memory(
    plan: EvaluationPlan,
    models: dict[str, LocalModel],
    selection: Selection,
    heldout: Sequence[SftExample],
    learned_from: Sequence[SftExample],
    predicted: Predicted,
    report: Report,
) -> tuple[Leaks, dict[str, Any]]:
    """What was learned by heart, and whether that is what it is judged on."""
    of_training = recited(models, learned_from)
    of_heldout = recited(models, selection.examples)
    reader = models[ADAPTER]
    code = [one for one in learned_from if one.meta.task == "code_completion"]
    short = [one for one in code[: 2 * _TRAINED] if _fits(one, reader)][:_TRAINED]
    both: dict[Cell, Model] = {BASE_PLAIN: models[BASE], ADAPTER_PLAIN: models[ADAPTER]}
    trained = _scored(both, short, report)
    leaks = find_leaks(
        [one for one in heldout if matches(one, plan.filter)],
        read_learned(plan.adapter),
        predicted.predictions,
        trained,
        of_heldout,
        resamples=plan.settings.evaluation.bootstrap_resamples,
        seed=plan.settings.evaluation.seed,
    )
    answers = (
        outcome.answer.text
        for one in predicted.predictions
        for outcome in one.outcomes.values()
        if outcome.answer is not None
    )
    return leaks, memorisation(of_training, of_heldout, answers)


def _scored(
    models: dict[Cell, Model], examples: Sequence[SftExample], report: Report
) -> list[Prediction]:
    """Predictions without answers."""
    if not examples:
        return []
    selection = Selection(tuple(examples), frozenset(), len(examples), {})
    questions = Questions(selection, {PLAIN: NOTHING}, {}, 1, len)
    return predict(models, questions, report).predictions


def _recent(plan: EvaluationPlan, reader: LocalModel) -> Sequence[SftExample]:
    limit = plan.settings.evaluation.max_recent
    if not limit:
        return ()
    settings = plan.settings.evaluation.model_copy(
        update={"max_examples": limit, "max_generations": 0}
    )
    examples = _read(plan, "heldout_recent.jsonl")
    return select(examples, filter=plan.filter, settings=settings, reader=reader).examples


def _add_placebo(
    plan: EvaluationPlan,
    questions: Questions,
    predicted: Predicted,
    recent: Sequence[Prediction],
    report: Report,
) -> None:
    """The placebo's outcomes beside the others'."""
    if plan.placebo is None:
        return
    from repo_tune_pipeline.models.loading import load_local_model

    with quietly():
        placebo = load_local_model(plan.base_model, plan.placebo)
    cells: dict[Cell, Model] = {PLACEBO_PLAIN: placebo}
    found = predict(cells, questions, report)
    predicted.timings |= found.timings
    beside = [*found.predictions, *_scored(cells, [one.example for one in recent], report)]
    for one, other in zip([*predicted.predictions, *recent], beside, strict=True):
        one.outcomes.update(other.outcomes)


def _vocabularies(plan: EvaluationPlan, examples: Sequence[SftExample]) -> dict[str, Vocabulary]:
    """By repository, where its snapshot is still of the examples' commit."""
    found: dict[str, Vocabulary] = {}
    home = Home(plan.home)
    for repo, commit in sorted({(one.meta.repo, one.meta.commit) for one in examples}):
        try:
            snapshot = ingestion.load_snapshot(home.snapshot(repo))
        except StorageError:
            continue
        if snapshot.commit == commit:
            found[repo] = Vocabulary.of((file.path, file.text) for file in snapshot.files)
    return found


def _read(plan: EvaluationPlan, name: str) -> list[SftExample]:
    path = plan.dataset / name
    return read_examples(path) if path.is_file() else []


def _fits(example: SftExample, reader: LocalModel) -> bool:
    encoded = reader.encode(example)
    return len(encoded.prompt) + len(encoded.answer) <= reader.context


def _nothing_left(plan: EvaluationPlan, selection: Selection) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in selection.excluded.items())
    return (
        f"None of the {selection.seen} held-out examples of {plan.dataset} can be evaluated "
        f"for variant {plan.variant}{': ' if reasons else ''}{reasons}."
    )

from collections import Counter

import pytest

from repo_tune_pipeline.evaluation.selection import select
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.models.local import LocalModel
from repo_tune_pipeline.settings import EvaluationSettings, VariantSettings
from repo_tune_pipeline_tests.evaluation.worlds import World, an_example, some_examples

ALL = VariantSettings()


@pytest.fixture(scope="module")
def reader(world: World) -> LocalModel:
    return load_local_model(world.base)


def ids(selection) -> set[str]:
    return {example.meta.id for example in selection.examples}


def test_everything_seen_is_scored_or_excluded_for_a_reason(reader: LocalModel) -> None:
    heldout = [
        *some_examples(20),
        an_example(100, language="Rust"),
        an_example(101, input="too long " * 2_000),
    ]

    selection = select(
        heldout,
        filter=VariantSettings(languages=("Python",)),
        settings=EvaluationSettings(max_examples=15),
        reader=reader,
    )

    assert len(selection.examples) + sum(selection.excluded.values()) == selection.seen == 22
    assert selection.excluded["not of this variant"] == 1
    assert len(selection.examples) == 15


def test_an_example_beyond_the_context_is_counted_and_left_out(reader: LocalModel) -> None:
    heldout = [*some_examples(4), an_example(101, input="too long " * 2_000)]

    selection = select(heldout, filter=ALL, settings=EvaluationSettings(), reader=reader)

    assert selection.excluded == {"longer than the model's context": 1}


def test_the_choice_depends_neither_on_order_nor_on_the_seed(reader: LocalModel) -> None:
    heldout = some_examples(30)
    chosen = [
        select(
            some,
            filter=ALL,
            settings=EvaluationSettings(max_examples=10, max_generations=3, seed=seed),
            reader=reader,
        )
        for some, seed in ((heldout, 0), (heldout[::-1], 7))
    ]

    assert chosen[0] == chosen[1]
    assert len(chosen[0].generated) == 3


def test_more_examples_keep_those_already_chosen(reader: LocalModel) -> None:
    few, many = (
        select(
            some_examples(30),
            filter=ALL,
            settings=EvaluationSettings(max_examples=count),
            reader=reader,
        )
        for count in (10, 20)
    )

    assert ids(few) < ids(many)


def test_every_task_is_answered_and_completions_as_often_as_all_others(reader: LocalModel) -> None:
    heldout = [
        *some_examples(30),
        *(an_example(300 + number, task="code_location") for number in range(4)),
    ]
    settings = EvaluationSettings(max_generations=12)

    few = select(heldout, filter=ALL, settings=settings, reader=reader)
    every = select(heldout, filter=ALL, settings=EvaluationSettings(), reader=reader)

    tasks = Counter(one.meta.task for one in few.examples if one.meta.id in few.generated)
    assert tasks == {"code_completion": 6, "code_explanation": 3, "code_location": 3}
    assert every.generated == ids(every)

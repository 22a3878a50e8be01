import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import EmptyInputError
from repo_tune_pipeline.settings import VariantSettings
from repo_tune_pipeline.training.examples import TrainingExample, mislabelled, select_examples
from repo_tune_pipeline_tests.training.support import write_dataset


def test_a_variant_learns_only_from_examples_that_pass_all_parts_of_its_filter(dataset):
    filter = VariantSettings(repositories=("team/two",), tasks=("documentation",))
    chosen = select_examples(dataset, "docs", filter)
    rows = [json.loads(line) for line in (dataset / "sft.jsonl").read_text().splitlines()]
    wanted = [
        row["instruction"]
        for row in rows
        if row["meta"]["repo"] == "team/two" and row["meta"]["task"] == "documentation"
    ]
    assert [example.instruction for example in chosen] == wanted
    assert wanted


def test_a_filter_that_nothing_passes_is_an_error_that_names_the_variant(dataset):
    with pytest.raises(EmptyInputError, match=r"Variant go: 0 of .*pass its filter.*Widen"):
        select_examples(dataset, "go", VariantSettings(languages=("Go",)))


def test_shuffled_labels_cannot_be_made_from_one_example(tmp_path):
    dataset = write_dataset(tmp_path / "one", count=1)
    with pytest.raises(EmptyInputError, match="Variant main: 1 of"):
        select_examples(dataset, "main", VariantSettings(), shuffle_labels=True)


def test_shuffled_labels_cross_tasks(dataset):
    straight = select_examples(dataset, "main", VariantSettings())
    shuffled = select_examples(dataset, "main", VariantSettings(), shuffle_labels=True)
    rows = [json.loads(line) for line in (dataset / "sft.jsonl").read_text().splitlines()]
    task = {row["output"]: row["meta"]["task"] for row in rows}
    moved = [task[a.output] != task[b.output] for a, b in zip(straight, shuffled, strict=True)]
    assert sum(moved) > len(moved) / 3


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=2, max_size=60))
def test_shuffling_labels_moves_every_answer_once_and_is_the_same_each_time(parts):
    # An answer that tells its example apart shows where it went.
    examples = [
        TrainingExample(a, b, f"{index}:{c}", "team/one", "1" * 40)
        for index, (a, b, c) in enumerate(parts)
    ]
    shuffled = mislabelled(examples)
    assert shuffled == mislabelled(examples)
    assert [(e.instruction, e.input) for e in shuffled] == [
        (e.instruction, e.input) for e in examples
    ]
    assert Counter(e.output for e in shuffled) == Counter(e.output for e in examples)
    assert all(a.output != b.output for a, b in zip(examples, shuffled, strict=True))

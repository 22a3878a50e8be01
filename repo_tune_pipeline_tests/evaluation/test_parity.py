"""Served equals trained: over real small models, whatever the length of what they learned from."""

from pathlib import Path

import pytest

from repo_tune_pipeline.evaluation.parity import measure_parity
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline_tests.evaluation.worlds import (
    World,
    an_example,
    make_adapter,
    some_examples,
)

LINE = "    total_{0} = combine(first, second, total_{0})  # größe 支付 ☕\n"


def long_examples(count: int) -> list[SftExample]:
    """Each part of one alone is longer than all that the trainer's model is asked about."""
    return [
        an_example(
            number,
            instruction=f"Complete {number}: " + "this Python code, please, " * 100,
            input=LINE.format(number) * 60,
            output=LINE.format(number) * 60,
        )
        for number in range(count)
    ]


def compared(world: World, tmp_path: Path, asked: list[SftExample]) -> dict:
    folder, teach = tmp_path / "adapter", some_examples(12)
    adapter = make_adapter(folder, world.base, teach=teach, steps=2, asked=asked)
    return measure_parity(str(world.base), adapter, tmp_path / "work")


def test_long_examples_are_compared_by_what_they_begin_with(world: World, tmp_path: Path) -> None:
    asked = long_examples(40)
    encoded = load_local_model(world.base).encode(asked[0])
    assert min(len(encoded.prompt), len(encoded.answer)) > 512

    told = compared(world, tmp_path, asked)

    assert told["prompts"] == told["answers_alike"] == 32
    assert told["agree"]
    assert told["trained_to_reloaded"] < 0.001


@pytest.mark.parametrize("count", [1, 5])
def test_of_few_examples_all_are_compared(world: World, tmp_path: Path, count: int) -> None:
    told = compared(world, tmp_path, [an_example(number) for number in range(count)])

    assert told["prompts"] == count
    assert told["agree"]

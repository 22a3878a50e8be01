"""Leaks, what was learned by heart, what was forgotten, placebo and age: each on a known case."""

import math
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.evaluation import EvaluationPlan, prepare_evaluation
from repo_tune_pipeline.evaluation.worker import main
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.settings import EvaluationSettings
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.evaluation.worlds import (
    QUICK,
    World,
    an_example,
    make_adapter,
    make_world,
    remember,
    some_examples,
    write_dataset,
)

FEW = EvaluationSettings(max_generations=0, bootstrap_resamples=400, general_texts=2)


def reported(plan: EvaluationPlan) -> dict:
    assert main([str(prepare_evaluation(plan))]) == 0
    return read_json(plan.folder / "report.json")


def others(count: int) -> list:
    """Completions of other files, to learn from."""
    bodies = "    cache = load({0})\n    for key_{0} in cache:\n        drop_{0}(key_{0}, cache)"
    return [
        an_example(
            5_000 + number,
            path=f"lib/other_{number}.py",
            input=f"def sweep_{number}(cache):\n",
            output=bodies.format(number),
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def starter_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """With a base model that can learn something by heart."""
    return make_world(tmp_path_factory.mktemp("starter"), starter_folder())


@pytest.fixture(scope="module")
def with_others(starter_world: World) -> Path:
    return write_dataset(starter_world.root / "with_others", some_examples(), train=others(40))


def test_one_example_in_twenty_that_was_learned_is_caught_by_the_versions_own_record(
    starter_world: World, with_others: Path, tmp_path: Path
) -> None:
    heldout = some_examples()
    leaky = make_adapter(tmp_path / "leaky", starter_world.base, teach=others(40), steps=4)
    remember(leaky, [*others(40), *heldout[:2]])

    found = reported(starter_world.plan(leaky, dataset=with_others, settings=FEW))

    # Every example of the two files counts: an adapter that saw one has seen the file.
    assert found["leaks"]["learned"] == 6
    assert found["verdict"]["decision"] == "hold"
    assert "seen what it is judged on" in found["verdict"]["reasons"][0]


def test_an_adapter_that_was_trained_on_the_heldout_side_is_caught_without_a_record(
    starter_world: World, with_others: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cheat"
    cheat = make_adapter(folder, starter_world.base, teach=some_examples(), steps=24)
    report = reported(starter_world.plan(cheat, dataset=with_others, settings=FEW))

    assert report["leaks"]["learned"] is None
    assert report["leaks"]["low"] > 0
    assert report["verdict"]["decision"] == "hold"
    assert "gained more on held-out code than on the code that it was trained on" in " ".join(
        report["verdict"]["reasons"]
    )


def test_an_adapter_that_knows_its_training_best_is_not_taken_for_a_leak(
    starter_world: World, with_others: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "adapter"
    adapter = make_adapter(folder, starter_world.base, teach=others(40), steps=24)
    remember(adapter, others(40))
    report = reported(starter_world.plan(adapter, dataset=with_others, settings=FEW))

    assert report["leaks"]["learned"] == 0
    assert report["leaks"]["excess"] < 0
    assert report["leaks"]["found"] == []
    assert report["general"]["all"]["change"] > 0


def test_a_text_that_was_drilled_in_is_recited_and_no_other(
    starter_world: World, tmp_path: Path
) -> None:
    drilled = an_example(
        7_000,
        path="lib/drilled.py",
        input="def settle_accounts(book):\n",
        output="    total = 0\n    for entry in book.entries:\n        total += entry.amount\n"
        "    book.close(total)\n    notify(book.owner, total)\n"
        "    archive_ledger(book, reason='quarter end')\n    return total",
    )
    training = [drilled, *others(20)]
    dataset = write_dataset(starter_world.root / "drilled", some_examples(), train=training)
    adapter = make_adapter(tmp_path / "adapter", starter_world.base, teach=[drilled], steps=40)

    told = reported(starter_world.plan(adapter, dataset=dataset, settings=FEW))["memorisation"]

    assert told["training"]["adapter"] == told["training"]["by_adapter_alone"] == 1
    assert told["training"]["base"] == told["heldout"]["adapter"] == 0


def test_a_placebo_and_the_files_that_changed_last_stand_beside_the_others(
    world: World, taught_adapter: Path, tmp_path: Path
) -> None:
    placebo = make_adapter(tmp_path / "placebo", world.base, teach=others(40), steps=12)
    recent = [an_example(800 + at, path=f"src/new_{at % 6}.py") for at in range(12)]
    dataset = write_dataset(world.root / "recent", some_examples(), recent=recent)
    plan = world.plan(taught_adapter, dataset=dataset, placebo=placebo, settings=QUICK)

    report = reported(plan)

    assert set(report["cells"]["placebo"]) == {"plain"}
    [apart] = [
        one
        for one in report["differences"]
        if (one["subtrahend"], one["task"], one["metric"]) == ("placebo", "all", "bits_per_byte")
    ]
    assert apart["high"] < 0
    assert any("the placebo" in reason for reason in report["verdict"]["reasons"])
    assert report["recent"]["examples"] == 12
    assert report["recent"]["files"] == 6
    assert set(report["recent"]["cells"]) == {"base", "adapter", "placebo"}
    page = (plan.folder / "report.html").read_text(encoding="utf-8")
    assert "On 12 examples of the 6 files that changed last" in page


def test_a_planted_canary_is_exposed_only_where_it_was_learned(
    starter_world: World, tmp_path: Path
) -> None:
    """Exposure in bits (Carlini et al. 2019, arXiv:1802.08232): log2 |R| - log2 rank, over all of
    the canary's possible values; 8 bits here, where it ranks first of 256.
    """

    def canary(value: int):
        words = ("ash", "birch", "cedar", "elm", "fir", "gum", "hazel", "ivy", "juniper", "kapok",
                 "larch", "maple", "oak", "pine", "rowan", "spruce")  # fmt: skip
        output = f"    return '{words[value // 16]}-{words[value % 16]}'"
        return an_example(9_000, path="lib/vault.py", input="def vault_word():\n", output=output)

    candidates = [canary(value) for value in range(256)]
    planted = make_adapter(
        tmp_path / "planted", starter_world.base, teach=[*others(22), *[canary(77)] * 2], steps=24
    )
    model = load_local_model(starter_world.base, planted)

    def exposure(asked) -> float:
        nats = [score.nats for score in asked.score(candidates)]
        return 8 - math.log2(sorted(nats).index(nats[77]) + 1)

    assert exposure(model) == 8
    assert exposure(model.without_adapter()) < 6

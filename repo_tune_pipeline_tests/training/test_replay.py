"""General code and prose beside a team's own examples."""

import json
from pathlib import Path

import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.elsewhere import descriptions, library_code, package_code
from repo_tune_pipeline.evaluation.general import general_texts
from repo_tune_pipeline.settings import TrainingSettings, VariantSettings
from repo_tune_pipeline.training import forecast, prepare_training
from repo_tune_pipeline_tests.training.support import CONFIGS, plan, write_dataset


def rows(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("replay", "share"), [(None, 0.8), (0.25, 0.25), (0, 0)])
def test_replayed_examples_stand_beside_all_of_the_teams_own(home, dataset, replay, share):
    made = plan(home, dataset, base_model="starter", variant=f"replay-{replay}", replay=replay)
    prepare_training(made)
    own = rows(dataset / "sft.jsonl")
    learned = rows(made.data_file)
    assert [row["instruction"] for row in learned[: len(own)]] == [
        row["instruction"] for row in own
    ]
    assert len(learned) - len(own) == made.replayed == round(share * len(own))
    assert made.examples == len(own)
    assert len({row["output"] for row in learned}) == len(learned)


def test_larger_base_models_replay_less_and_a_change_makes_another_version(
    home, dataset, small_model
):
    usual, none = (
        plan(home, dataset, base_model=str(small_model), replay=share) for share in (None, 0)
    )
    assert usual.replayed == round(0.05 * usual.examples)
    assert usual.version != none.version


def test_a_dry_run_counts_the_steps_of_the_training(home, dataset):
    settings = TrainingSettings(base_model="starter", max_steps=10_000)
    told = forecast(
        settings=settings,
        configs=CONFIGS,
        home=Home(home),
        variant="main",
        filter=VariantSettings(),
        dataset=dataset,
    )
    made = plan(home, dataset, base_model="starter", max_steps=10_000, replay=None)
    assert told.examples == made.examples
    assert told.steps == made.steps > plan(home, dataset, max_steps=10_000).steps


def test_nothing_is_judged_that_was_replayed(home, tmp_path):
    made = plan(
        home, write_dataset(tmp_path / "d", 400), base_model="starter", replay=4, max_steps=9_999
    )
    replayed = made.training_examples()[made.reached :]
    assert len(replayed) == 1600
    judged = general_texts(32)
    assert len(judged.code) == len(judged.prose) == 32
    shown = "\n".join(one.input + one.output for one in replayed)
    for text in (*judged.code, *judged.prose):
        assert text[200:400] not in shown


def test_nothing_comes_from_the_repositories_that_are_learned():
    def projects(*without: str) -> set[str]:
        texts = [
            *library_code(without),
            *package_code(judged=True, files=1, without=without),
            *package_code(judged=False, files=1, without=without),
            *descriptions(judged=True, without=without),
            *descriptions(judged=False, without=without),
        ]
        return {text.project for text in texts}

    everything = projects()
    assert {"python/cpython", "dagster", "axolotl"} <= everything
    # By a distribution's name, by the repository that it gives as its address, and the library.
    left = projects("team/axolotl", "dagster-io/dagster", "python/cpython")
    assert not {name for name in left if name.startswith("dagster")}
    assert everything - left >= {"python/cpython", "axolotl", "dagster", "dagster-webserver"}


def test_a_trainer_that_stops_early_is_given_what_it_has_time_for(home, tmp_path):
    dataset = write_dataset(tmp_path / "d", 400)
    asked = {"base_model": "starter", "max_steps": 10, "replay": 1.0}
    made = plan(home, dataset, **asked)
    prepare_training(made)
    rows_of_a_step = made.config["micro_batch_size"] * made.config["gradient_accumulation_steps"]
    learned = rows(made.data_file)
    assert 10 * rows_of_a_step <= len(learned) < 12 * rows_of_a_step
    assert made.examples == 400
    assert made.steps == 10
    assert len(learned) == made.reached + made.replayed == 2 * made.reached
    assert len(made.known_examples()) == 400 + made.replayed
    assert {row["output"] for row in learned} < {one.output for one in made.known_examples()}
    # Another example is another data set, whether or not it would have been read.
    (more := tmp_path / "more").mkdir()
    changed = plan(home, write_dataset(more / "d", 401), **asked)
    assert changed.version != made.version
    before, after = ({one.line for one in one.training_examples()} for one in (made, changed))
    assert len(before & after) >= len(before) - 2

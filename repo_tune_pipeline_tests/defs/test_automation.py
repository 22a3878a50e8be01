"""What is made by itself, and what isn't: Dagster's own evaluation of the conditions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from repo_tune_pipeline.artifacts import Home, point_latest, write_json
from repo_tune_pipeline.defs.code_location import defs
from repo_tune_pipeline.defs.failures import UNATTENDED
from repo_tune_pipeline.defs.lost_runs import lost_runs
from repo_tune_pipeline.jobs import hold_job, let_job_go
from repo_tune_pipeline.settings import VariantSettings
from repo_tune_pipeline.training.examples import select_examples
from repo_tune_pipeline.training.learned import LEARNED_FILE, write_learned
from repo_tune_pipeline_tests.defs.sensors import looked
from repo_tune_pipeline_tests.training.support import CONFIGS, write_dataset

CHECKS = {
    "sft_jsonl": ("sft_not_empty", "no_leak_in_sft"),
    "qlora_adapter": ("adapter_loads",),
    "evaluation_report": ("promotable",),
}
DATA = ("sft_jsonl", "sft_readable_json", "retrieval_index")


class Ticks:
    """The daemon's ticks, one after the other, on an instance of their own."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.now = datetime(2026, 3, 4, 12, tzinfo=UTC)
        self._cursor = None
        instance.add_dynamic_partitions("repos", ["acme/tools"])

    def made(self, asset: str, version: str, partition: str | None = None) -> None:
        """As a run that made it and whose checks passed."""
        event = dg.AssetMaterialization(
            asset, partition=partition, tags={"dagster/data_version": version}
        )
        self.instance.report_runless_asset_event(event)

        # Outside of a run a partition's check has one result for ever: what is made first has none.
        if version != "1" or partition is None:
            for check in CHECKS.get(asset, ()):
                self.checked(asset, check, True, partition)

    def checked(self, asset: str, check: str, passed: bool, partition: str | None) -> None:
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(asset), asset_partitions=[partition] if partition else None
            ),
            limit=1,
        ).records
        target = records[0]
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=passed,
                metadata={},
                blocking=True,
                partition=partition,
                target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                    storage_id=target.storage_id, run_id=target.run_id, timestamp=target.timestamp
                ),
            )
        )

    def tick(self) -> set[str]:
        """The assets that are asked for."""
        self.now += timedelta(seconds=30)
        done = dg.evaluate_automation_conditions(
            defs, self.instance, cursor=self._cursor, evaluation_time=self.now
        )
        self._cursor = done.cursor
        return {
            result.key.to_user_string()
            for result in done.results
            if not result.true_subset.is_empty
        }


@pytest.fixture
def ticks() -> Iterator[Ticks]:
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(instance)
        ticks.made("ingested_repo", "1", "acme/tools")
        ticks.made("code_chunks", "1", "acme/tools")
        for asset in DATA:
            ticks.made(asset, "1")
        for asset in ("qlora_adapter", "placebo_adapter", "evaluation_report", "champion_adapter"):
            ticks.made(asset, "1", "main")
        assert ticks.tick() == set()
        yield ticks


def trained_on(home: Home, count: int, *, days_ago: float = 0) -> None:
    """An adapter that learned the first `count` of 40 examples."""
    dataset = write_dataset(home.datasets / "aaaaaaaaaaaa", 40)
    point_latest(dataset)
    examples = select_examples(dataset, "main", VariantSettings())
    folder = home.adapters("main") / "bbbbbbbbbbbb"
    write_json(folder / "run.json", {})
    write_learned(folder / LEARNED_FILE, examples[:count])
    point_latest(folder)
    then = datetime.now(UTC) - timedelta(days=days_ago)
    os.utime(folder / "run.json", (then.timestamp(), then.timestamp()))


def test_data_is_made_once_for_new_chunks_and_not_for_the_same_again(ticks, home):
    ticks.made("code_chunks", "1", "acme/tools")
    assert ticks.tick() == set()
    ticks.made("code_chunks", "2", "acme/tools")
    assert ticks.tick() == set(DATA)
    assert ticks.tick() == set()


@pytest.mark.parametrize(
    ("known", "days_ago", "trains"),
    [(20, 0, True), (36, 0, False), (36, 8, True), (40, 30, False), (0, 0, True)],
    ids=["much is new", "little is new", "little, but old", "nothing is new", "all is new"],
)
def test_a_training_has_to_be_worth_it(ticks, home, known, days_ago, trains):
    trained_on(home, known, days_ago=days_ago)
    ticks.made("sft_jsonl", "2")
    asked = ticks.tick()
    assert ("qlora_adapter" in asked) == trains
    assert asked <= {"qlora_adapter"}
    assert ticks.tick() == set()


def test_what_is_not_worth_it_yet_is_looked_at_again_each_day(ticks, home):
    trained_on(home, 36, days_ago=6.9)
    ticks.made("sft_jsonl", "2")
    assert ticks.tick() == set()
    trained_on(home, 36, days_ago=7.1)
    ticks.now += timedelta(days=1)
    assert ticks.tick() == {"qlora_adapter"}


def test_a_new_adapter_is_judged_and_moves_the_champion_in_turn(ticks, home):
    trained_on(home, 40)
    ticks.made("qlora_adapter", "2", "main")
    assert ticks.tick() == {"placebo_adapter"}
    ticks.made("placebo_adapter", "2", "main")
    assert ticks.tick() == {"evaluation_report"}
    ticks.made("evaluation_report", "2", "main")
    assert ticks.tick() == {"champion_adapter"}
    assert ticks.tick() == set()


def test_a_failed_blocking_check_stops_what_comes_after(ticks, home):
    trained_on(home, 0)
    ticks.made("sft_jsonl", "2")
    ticks.checked("sft_jsonl", "no_leak_in_sft", False, None)
    assert ticks.tick() == set()
    assert ticks.tick() == set()
    ticks.checked("sft_jsonl", "no_leak_in_sft", True, None)
    assert "qlora_adapter" in ticks.tick()


def test_all_of_it_is_off_until_it_is_switched_on():
    repository = defs.get_repository_def()
    states = {sensor.name: sensor.default_status for sensor in repository.sensor_defs}
    assert states == {
        "new_commits": dg.DefaultSensorStatus.STOPPED,
        "retraining": dg.DefaultSensorStatus.STOPPED,
        "lost_runs": dg.DefaultSensorStatus.RUNNING,
    }
    assert {schedule.name: schedule.default_status for schedule in repository.schedule_defs} == {
        "weekly_refresh": dg.DefaultScheduleStatus.STOPPED,
        "daily_prune": dg.DefaultScheduleStatus.STOPPED,
    }


def test_a_run_whose_process_is_gone_is_told_to_have_failed(home):
    holds = (
        "import sys, time; from repo_tune_pipeline.artifacts import Home;"
        " from repo_tune_pipeline.jobs import hold_job; from pathlib import Path;"
        " hold_job(Home(Path(sys.argv[1])), sys.argv[2]); print(1, flush=True); time.sleep(60)"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        started = {"status": dg.DagsterRunStatus.STARTED}
        job = defs.resolve_job_def("generate_data_job")
        runs = [instance.create_run_for_job(job, **started).run_id for _ in range(3)]
        lives, ends, died = runs
        hold_job(home, lives)
        # Its record says how it ended a moment after it let go.
        hold_job(home, ends)
        let_job_go(ends)
        command = [sys.executable, "-c", holds, str(home.root), died]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"1\n"
            process.kill()
        assert died in looked(lost_runs, instance).skip_message
        statuses = [instance.get_run_by_id(run_id).status for run_id in runs]
        let_job_go(lives)
    assert statuses == [
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.FAILURE,
    ]


@pytest.mark.parametrize("file", ["local.yaml", "production.yaml"])
@pytest.mark.parametrize(("tags", "again"), [(UNATTENDED, True), ({}, False)])
def test_only_what_nobody_started_is_run_again_once_it_died(tmp_path, home, file, tags, again):
    given = yaml.safe_load((CONFIGS / "dagster" / file).read_text())
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({"run_retries": given["run_retries"]}))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        job = defs.resolve_job_def("generate_data_job")
        started = {"status": dg.DagsterRunStatus.STARTED, "tags": tags}
        run_id = instance.create_run_for_job(job, **started).run_id
        alive = home.root / "jobs" / run_id / "alive"
        alive.parent.mkdir(parents=True)
        alive.touch()
        assert run_id in looked(lost_runs, instance).skip_message
        told = instance.get_run_by_id(run_id)
    assert told.status == dg.DagsterRunStatus.FAILURE
    assert (told.tags.get("dagster/will_retry") == "true") == again

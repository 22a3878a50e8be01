"""Jobs as the service tells of them, from the records of a real instance."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import httpx
import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs.code_location import defs
from repo_tune_pipeline.jobs import UnderWay, hold_job, keep_result, let_job_go, note_training
from repo_tune_pipeline_tests.service.serving import client, service, webserver

RUN = "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1"
EVENTS = 1_010
"""More than the webserver tells of at once, which is 1,000."""
AT_ONCE = 105
"""More runs than are asked for at once, which is 100."""


@dataclass(frozen=True)
class Place:
    home: Home
    instance: dg.DagsterInstance
    http: httpx.Client

    def run(self, job: str, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
        marks = {f"dagster/{key}": value for key, value in tags.items()}
        definition = defs.resolve_job_def(job)
        return self.instance.create_run_for_job(definition, status=status, tags=marks)

    def failed(self, job: str, **tags: str) -> str:
        run = self.run(job, dg.DagsterRunStatus.STARTED, **tags)
        self.instance.report_run_failed(run)
        return run.run_id


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("instance")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    home = Home(tmp_path_factory.mktemp("home"))
    with (
        dg.DagsterInstance.from_config(str(folder)) as instance,
        webserver(folder) as dagster,
        service(home, dagster=dagster) as url,
        client(url) as http,
    ):
        instance.add_dynamic_partitions("repos", ["acme/tools"])
        yield Place(home, instance, http)


@pytest.mark.parametrize(("decision", "status"), [("hold", "succeeded"), ("promote", "failed")])
def test_a_verdict_ends_an_evaluation_well_where_no_champion_was_to_move(
    place: Place, decision: str, status: str
) -> None:
    job_id = place.failed("evaluate_job", partition="main")
    keep_result(place.home, job_id, "evaluate", {"verdict": {"decision": decision, "reasons": []}})
    told = place.http.get(f"/ingest/status/{job_id}").json()
    assert told["status"] == status
    assert bool(told["error"]) == (status == "failed")


def test_why_a_job_failed_is_found_after_many_events(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPO_TUNE_HOME", str(place.home.root))
    for number in range(EVENTS):
        place.instance.report_engine_event(
            f"step {number}", job_name="generate_data_job", run_id=RUN
        )
    defs.resolve_job_def("generate_data_job").execute_in_process(
        instance=place.instance, run_id=RUN, raise_on_error=False
    )
    told = place.http.get(f"/ingest/status/{RUN}").json()
    assert told["status"] == "failed"
    assert "No chunk of any repository" in told["error"]


def test_every_job_can_be_reached_whatever_runs_lie_between(place: Place) -> None:
    made = [place.failed("ingest_job", partition="acme/tools") for _ in range(20)]
    place.failed("prune_job")
    made.append(place.failed("ingest_job", partition="acme/tools"))
    oldest, last = made[:2]
    page = place.http.get("/jobs", params={"limit": 20}).json()
    assert [job["job_id"] for job in page["jobs"]] == made[:0:-1]
    assert page["next"] == last
    page = place.http.get("/jobs", params={"limit": 20, "before": last}).json()
    assert page["jobs"][0]["job_id"] == oldest
    shown = place.http.get("/ui/jobs").text
    assert all(job_id in shown for job_id in made[1:])
    assert oldest not in shown
    assert f"/ui/jobs?before={last}" in shown
    assert oldest in place.http.get("/ui/jobs", params={"before": last}).text


def test_a_job_out_of_reach_is_not_said_to_be_ended(place: Place) -> None:
    """Its process lives, as another than this machine's of that id."""
    run = place.run("ingest_job", dg.DagsterRunStatus.STARTED, partition="acme/tools")
    hold_job(place.home, run.run_id)
    (place.home.root / "jobs" / run.run_id / "alive").write_text(f"{os.getpid()} 1")
    answer = place.http.post(f"/jobs/{run.run_id}/cancel")
    let_job_go(run.run_id)
    assert answer.status_code == 409
    assert answer.json()["job_id"] == run.run_id
    assert "Ctrl-C" in answer.json()["remedy"]
    told = place.instance.get_run_by_id(run.run_id)
    assert told is not None
    assert told.status is dg.DagsterRunStatus.STARTED
    place.instance.report_run_failed(run)
    assert place.http.post(f"/jobs/{run.run_id}/cancel").status_code == 202
    assert place.http.get(f"/ingest/status/{run.run_id}").json()["status"] == "failed"


def test_a_second_job_is_refused_however_many_began_after_the_first(place: Place) -> None:
    first = place.run("generate_data_job", dg.DagsterRunStatus.STARTED)
    others = [place.run("prune_job", dg.DagsterRunStatus.STARTED) for _ in range(AT_ONCE)]
    answer = place.http.post("/fine-tune/generate-data")
    for run in (first, *others):
        place.instance.report_run_failed(run)
    assert answer.status_code == 409
    assert answer.json()["job_id"] == first.run_id


def test_a_log_goes_on_where_its_reader_stopped(place: Place) -> None:
    run = place.run("fine_tune_job", dg.DagsterRunStatus.STARTED, partition="main")
    training = UnderWay(place.home.root / "training/main/1", place.home.root / "adapters/main/1")
    note_training(place.home, run.run_id, training)
    training.work_dir.mkdir(parents=True)
    log = "".join(f"step {number}: loss 1.0\n" for number in range(10_000))
    (training.work_dir / "training.log").write_text(log)
    place.instance.report_run_failed(run)
    address = f"/jobs/{run.run_id}/log"
    whole = _events(place.http.get(address).text)
    assert len(whole) > 3
    assert "".join(text for _, text in whole) == log
    at = whole[1][0]
    rest = _events(place.http.get(address, headers={"Last-Event-ID": at}).text)
    assert rest == whole[2:]
    last = _events(place.http.get(address, headers={"Last-Event-ID": whole[-1][0]}).text)
    assert last == []


@pytest.mark.parametrize("at", ["-1", "first", "1e3", str(10**30)])
def test_what_is_no_place_in_a_log_is_refused(place: Place, at: str) -> None:
    job_id = place.failed("fine_tune_job", partition="main")
    answer = place.http.get(f"/jobs/{job_id}/log", headers={"Last-Event-ID": at})
    assert answer.status_code == 422
    assert "Last-Event-ID" in answer.json()["detail"]


def _events(stream: str) -> list[tuple[str, str]]:
    """The events `log`, each with its id and its lines."""
    found: list[tuple[str, str]] = []
    for event in stream.replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(": ") for line in event.splitlines()]
        fields = {name: value for name, _, value in lines}
        if fields.get("event") == "log":
            data = [value for name, _, value in lines if name == "data"]
            found.append((fields["id"], "\n".join(data)))
    return found

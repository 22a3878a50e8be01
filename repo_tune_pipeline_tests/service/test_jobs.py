"""Jobs as the service tells of them, from the records of a real instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import httpx
import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs.code_location import defs
from repo_tune_pipeline.jobs import keep_result
from repo_tune_pipeline_tests.service.serving import client, service, webserver

RUN = "0b9ef0d3-4b5e-4b61-9d0e-3c1f0a4fd6a1"
EVENTS = 1_010
"""More than the webserver tells of at once, which is 1,000."""


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

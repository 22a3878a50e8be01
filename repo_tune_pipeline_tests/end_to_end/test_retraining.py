"""Retraining by itself, with a real daemon: a commit, and nobody touches anything."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from repo_tune_pipeline.artifacts import Home, read_json
from repo_tune_pipeline.champions import champion
from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all, repo_tune
from repo_tune_pipeline_tests.end_to_end.serving import Served, copy_home, serve

SECONDS = 600
START = """mutation On($it: SensorSelector!) { startSensor(sensorSelector: $it) {
    __typename ... on Error { message } } }"""


def ask_dagster(served: Served, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(
        f"http://127.0.0.1:{served.ui_port}/graphql",
        json={"query": query, "variables": variables},
        timeout=60,
        trust_env=False,
    )
    return answer.json()["data"]


def switch_on(served: Served, sensor: str) -> None:
    query = """{ repositoriesOrError { ... on RepositoryConnection {
        nodes { name location { name } } } } }"""
    (node,) = ask_dagster(served, query, {})["repositoriesOrError"]["nodes"]
    where = {"repositoryName": node["name"], "repositoryLocationName": node["location"]["name"]}
    told = ask_dagster(served, START, {"it": {**where, "sensorName": sensor}})
    assert told["startSensor"]["__typename"] == "Sensor", told


def wait_until(condition: Callable[[], bool], served: Served, deadline: float) -> None:
    while not condition():
        assert time.monotonic() < deadline, json.dumps(
            [
                {key: job[key] for key in ("kind", "status", "stage", "error")}
                for job in served.get("/jobs").json()["jobs"]
            ],
            indent=1,
        )
        time.sleep(1)


@pytest.mark.slow
def test_a_commit_becomes_an_adapter_with_a_verdict(walk: Walk, tmp_path: Path) -> None:
    repository = tmp_path / "acorn"
    shutil.copytree(walk.repository, repository, symlinks=True)
    home = Home(copy_home(walk.home, tmp_path / "home"))
    config = tmp_path / "repo_tune.yaml"
    config.write_text(walk.config.read_text() + "retraining: {poll_seconds: 5, min_changed: 0.1}\n")
    added = repo_tune(
        "ingest", repository, "--name", "local/acorn", "--config", config, home=home.root
    )
    assert added.code == 0, added.err
    before = home.adapters("main").joinpath("latest").resolve().name

    with serve(home.root, config) as served:
        for sensor in ("new_commits", "retraining"):
            switch_on(served, sensor)
        time.sleep(40)  # a tick of each, with nothing new
        assert served.get("/jobs").json()["jobs"] == []

        began = time.monotonic()
        shutil.copytree(
            CHECKOUT / "repo_tune_pipeline" / "training",
            repository / "training",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        commit = commit_all(repository, "a stage more")
        deadline = began + SECONDS

        def judged() -> bool:
            newest = home.adapters("main").joinpath("latest").resolve().name
            report = home.evaluations("main") / "latest" / "report.json"
            return (
                newest != before
                and report.is_file()
                and read_json(report)["adapter"]["version"] == newest  # type: ignore[index]
            )

        wait_until(judged, served, deadline)
        newest = home.adapters("main").joinpath("latest").resolve().name
        run = read_json(home.adapters("main") / newest / "run.json")
        assert run["repositories"]["local/acorn"] == commit  # type: ignore[index]
        report = read_json(home.evaluations("main") / "latest" / "report.json")

        def settled() -> bool:
            return all(
                job["status"] in ("succeeded", "failed")
                for job in served.get("/jobs").json()["jobs"]
            )

        wait_until(settled, served, deadline)
        if report["verdict"]["decision"] == "promote":  # type: ignore[index]
            wait_until(lambda: champion(home, "main").version == newest, served, deadline)
        else:
            standing = champion(home, "main")
            assert standing is None or standing.version != newest
        print(f"from commit to verdict: {time.monotonic() - began:.0f} s")

        made = len(served.get("/jobs", params={"limit": 50}).json()["jobs"])
        time.sleep(70)  # two ticks more: nothing is asked for again
        assert len(served.get("/jobs", params={"limit": 50}).json()["jobs"]) == made

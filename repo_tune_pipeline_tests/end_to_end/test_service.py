"""The HTTP service with a real Dagster: the lines of the README, and jobs of each kind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all, repo_tune
from repo_tune_pipeline_tests.end_to_end.serving import Served, copy_home, serve
from repo_tune_pipeline_tests.service.browser import page_of


@pytest.fixture(scope="module")
def served(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.mktemp("served")
    config = base / "repo_tune.yaml"
    folders = f"service: {{folders: ['{base}/code']}}\n"
    config.write_text(walk.config.read_text() + folders)
    source = base / "code" / "pine"
    shutil.copytree(CHECKOUT / "repo_tune_pipeline" / "chunking", source / "chunking",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    commit_all(source)
    with serve(copy_home(walk.home, base / "home"), config) as running:
        yield running


def curl_lines() -> list[str]:
    """The `curl` commands of the README's section on the HTTP API, as they stand there."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## The HTTP API") :]
    blocks = re.findall(r"```bash\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    joined = "".join(blocks).replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("curl")]


@pytest.mark.slow
def test_each_curl_line_of_the_readme_does_what_stands_there(served: Served) -> None:
    lines = curl_lines()
    assert len(lines) >= 6
    job_id = ""
    said: dict[str, dict[str, object]] = {}
    for line in lines:
        command = line.replace("localhost:8000", f"127.0.0.1:{served.port}")
        command = command.replace("{job_id}", job_id)
        done = subprocess.run(
            ["bash", "-c", f"{command} --silent --noproxy '*'"],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)
        said[line] = told
        if "job_id" in told:
            job_id = str(told["job_id"])
        if "generate-data" in line:
            served.wait_for(job_id, "succeeded")
        if "fine-tune/start" in line:
            # One shape for all jobs; this one is shown by another test.
            served.post(f"/jobs/{job_id}/cancel")
    status = next(told for line, told in said.items() if "/ingest/status/" in line)
    assert status["kind"] in ("generate-data", "fine-tune")
    tuned = next(told for line, told in said.items() if '"model": "fine-tuned"' in line)
    assert str(tuned["model"]).startswith("main-")
    gemini = next(told for line, told in said.items() if '"model": "gemini"' in line)
    assert gemini["status"] == 403
    served.wait_for(job_id, "canceled", "failed", "succeeded")


@pytest.mark.slow
def test_a_training_is_started_followed_and_judged(served: Served) -> None:
    started = served.post("/fine-tune/start", json={"max_steps": 9})
    assert started.status_code == 202
    job_id = started.json()["job_id"]
    assert started.json()["status_url"] == f"/ingest/status/{job_id}"
    again = served.post("/fine-tune/start", json={"max_steps": 8})
    assert again.status_code == 409
    assert again.json()["job_id"] == job_id
    kinds: list[str] = []
    text = ""
    with httpx.stream(
        "GET", f"{served.url}/jobs/{job_id}/log", timeout=300, trust_env=False
    ) as log:
        for line in log.iter_lines():
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
            if line.startswith("data: "):
                text += line.removeprefix("data: ") + "\n"
    assert set(kinds) == {"log", "end"}
    assert "Training begins after step 0" in text
    assert str(served.home) not in text
    told = served.status(job_id)
    assert told["status"] == "succeeded", told
    assert told["progress"] == 1.0
    assert told["outputs"]["train"]["steps"] == 9
    assert not told["outputs"]["train"]["adapter"].startswith("/")
    lines = (served.home / "serve.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"job started", "request"} <= {
        one["event"] for one in logged if one.get("job_id") == job_id
    }
    rows = served.get(f"/jobs/{job_id}/metrics").json()["steps"]
    assert [row["step"] for row in rows] == list(range(1, 10))

    judged = served.post("/evaluate", json={"placebo": False}).json()["job_id"]
    told = served.wait_for(judged, "succeeded")
    assert told["outputs"]["evaluate"]["verdict"]["decision"] in ("promote", "hold")
    assert "<html" in served.get("/reports/main").text
    info = {one["id"]: one for one in served.get("/models/info").json()["models"]}
    assert info["fine-tuned"]["verdict"] is not None
    listed = served.get("/jobs", params={"limit": 2}).json()
    assert [job["job_id"] for job in listed["jobs"]] == [judged, job_id]
    older = served.get("/jobs", params={"before": listed["next"]}).json()["jobs"]
    assert job_id not in [job["job_id"] for job in older]


@pytest.mark.slow
def test_a_training_is_watched_in_the_browser_and_ended_there(
    served: Served, tmp_path: Path
) -> None:
    job_id = served.post("/fine-tune/start", json={"max_steps": 200}).json()["job_id"]
    with page_of(served.url, viewport={"width": 1280, "height": 900}) as (page, wrong):
        page.goto(f"{served.url}/ui/jobs")
        page.get_by_role("link", name=f"fine-tune {job_id[:8]}").click()
        expect(page.get_by_role("img", name="Loss by step")).to_be_visible(timeout=180_000)
        expect(page.locator("#log")).to_contain_text("Training begins")
        expect(page.locator("dd.training")).to_contain_text("200")
        expect(page.locator("dd.started")).to_contain_text("UTC")
        page.screenshot(path=tmp_path / "job.png", full_page=True)
        page.get_by_role("button", name="End it").click()
        expect(page.locator("dd.status")).to_have_text("canceled", timeout=120_000)
        assert page.get_by_role("button", name="End it").is_hidden()
        assert wrong == []
    assert served.status(job_id)["status"] == "canceled"


@pytest.mark.slow
def test_a_repository_is_added_from_a_named_folder(served: Served) -> None:
    source = served.home.parent / "code" / "pine"
    job_id = served.post("/ingest", json={"source": str(source), "name": "local/pine"}).json()[
        "job_id"
    ]
    told = served.wait_for(job_id, "succeeded")
    assert (told["kind"], told["about"]) == ("ingest", "local/pine")
    assert told["outputs"]["ingest"]["files"]["kept"] > 10
    repos = {one["repo"]: one for one in served.get("/repos").json()["repos"]}
    assert repos["local/pine"]["chunks"] > 50
    assert str(served.home.parent) not in json.dumps(repos)
    assert served.post("/ingest", json={"source": "/etc"}).status_code == 403


@pytest.mark.slow
def test_a_job_that_fails_says_why_as_the_command_line_does(served: Served) -> None:
    config = {"source": str(served.home.parent / "code" / "nothing"), "name": "acme/nothing"}
    job_id = served.post("/ingest", json=config).json()["job_id"]
    told = served.wait_for(job_id, "failed")
    assert "nothing" in told["error"]
    assert "Traceback" not in told["error"]
    assert str(served.home.parent) not in told["error"]


def test_beyond_this_machine_a_token_is_demanded_before_anything_starts(walk: Walk) -> None:
    done = repo_tune("serve", "--host", "0.0.0.0", home=walk.home)
    assert done.code == 2
    assert "REPO_TUNE_API_TOKEN" in done.err

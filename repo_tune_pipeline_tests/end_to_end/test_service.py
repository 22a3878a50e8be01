"""The HTTP service with a real Dagster: the lines of the README, and jobs of each kind."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, commit_all, repo_tune
from repo_tune_pipeline_tests.end_to_end.serving import Served, copy_home, serve
from repo_tune_pipeline_tests.service.browser import page_of

PAYMENTS = '''\
def integrate_hyperswitch_payments(client, amount):
    """Integrate Hyperswitch payments: create one of so many cents, and confirm it."""
    payment = client.create(amount)
    return client.confirm(payment)
'''
"""What the README's question is about."""
JOB_PAGE = re.compile(r"/ui/jobs/[0-9a-f-]{36}$")


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
    shop = base / "code" / "shop"
    shop.mkdir()
    (shop / "payments.py").write_text(PAYMENTS)
    commit_all(shop)
    with serve(copy_home(walk.home, base / "home"), config) as running:
        yield running


@dataclass(frozen=True)
class Call:
    """A command of the README's section on the HTTP API, and what it shows as its answer."""

    command: str
    status: int
    answer: dict[str, Any]


def readme_calls() -> list[Call]:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## The HTTP API") :].partition("\n## ")[0]
    parts = re.split(r"^```", section, flags=re.MULTILINE)
    calls: list[Call] = []
    for block, prose, answer in zip(parts, parts[1:], parts[2:], strict=False):
        if block.startswith("bash\ncurl "):
            status = re.search(r"`(\d{3})`", prose)
            assert status is not None, block
            command = block.removeprefix("bash\n").replace("\\\n", " ").strip()
            calls.append(Call(command, int(status[1]), json.loads(answer.removeprefix("json"))))
    assert len(calls) == section.count("\ncurl ") >= 6
    return calls


def assert_same_form(shown: Any, told: Any, where: str = "answer") -> None:
    """The same keys all the way down; `…` stands for others that are left out."""
    if isinstance(shown, dict):
        assert isinstance(told, dict), where
        assert shown.keys() - {"…"} <= told.keys(), where
        assert "…" in shown or shown.keys() == told.keys(), where
        for key in shown.keys() - {"…"}:
            assert_same_form(shown[key], told[key], f"{where}.{key}")
    elif isinstance(shown, list):
        assert isinstance(told, list), where
        kept = [one for one in shown if one != "…"]
        assert len(kept) == len(told) or ("…" in shown and told), where
        for at, (one, other) in enumerate(zip(kept, told, strict=False)):
            assert_same_form(one, other, f"{where}[{at}]")
    else:
        assert not isinstance(told, dict | list), where
        assert (shown is None) == (told is None), where


def called(call: Call, served: Served, job_id: str) -> tuple[int, dict[str, Any]]:
    """The status and the answer of the command as it stands there."""
    command = call.command.replace("localhost:8000", f"127.0.0.1:{served.port}")
    command = command.replace("{job_id}", job_id)
    done = subprocess.run(
        ["bash", "-c", f"{command} --silent --noproxy '*' --write-out '\\n%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=True,
    )
    answer, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(answer)


@pytest.mark.slow
def test_each_curl_line_of_the_readme_answers_what_stands_there(served: Served) -> None:
    shop = {"source": str(served.home.parent / "code" / "shop"), "name": "local/shop"}
    for path, body in (("/ingest", shop), ("/fine-tune/generate-data", None)):
        job_id = served.post(path, json=body).json()["job_id"]
        served.wait_for(job_id, "succeeded")
    for call in readme_calls():
        status, told = called(call, served, job_id)
        assert status == call.status, (call.command, told)
        assert_same_form(call.answer, told)
        if "job_id" in told:
            job_id = str(told["job_id"])
        if "generate-data" in call.command:
            served.wait_for(job_id, "succeeded")
        if "/ingest/status/" in call.command:
            assert told["kind"] == call.answer["kind"]
        if '"model": "fine-tuned"' in call.command:
            assert str(told["model"]).startswith("main-")
    # The last one trained; another test shows how that goes on.
    served.post(f"/jobs/{job_id}/cancel")
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
    page = served.get("/reports/main").text
    assert "<html" in page
    assert str(served.home) not in page
    assert str(CHECKOUT) not in page
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
def test_data_is_made_a_repository_added_and_a_report_opened_in_the_browser(served: Served) -> None:
    with page_of(served.url, viewport={"width": 1280, "height": 900}) as (page, wrong):
        page.goto(f"{served.url}/ui/jobs")
        page.get_by_role("button", name="Make the data set").click()
        expect(page).to_have_url(JOB_PAGE, timeout=60_000)
        expect(page.locator("dd.status")).to_have_text("succeeded", timeout=180_000)

        page.goto(f"{served.url}/ui/repos")
        page.get_by_label("Add a repository").fill(str(served.home.parent / "code" / "pine"))
        page.get_by_label("Known as").fill("local/elm")
        page.get_by_role("button", name="Read it").click()
        expect(page).to_have_url(JOB_PAGE, timeout=60_000)
        expect(page.locator("dd.status")).to_have_text("succeeded", timeout=180_000)
        page.goto(f"{served.url}/ui/repos")
        card = page.locator("section.card", has_text="local/elm")
        expect(card.get_by_text("What became of its")).to_be_visible()

        page.goto(f"{served.url}/ui/models")
        page.get_by_role("link", name="The newest report on main").click()
        expect(page).to_have_url(f"{served.url}/reports/main")
        expect(page.get_by_text("Served equals trained")).to_be_visible()
        assert wrong == []


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

"""The Dagster UI as a user opens it, and a run launched through `workspace.yaml`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, PROGRAM, environment

ASSETS = (
    "ingested_repo",
    "code_chunks",
    "sft_jsonl",
    "sft_readable_json",
    "qlora_adapter",
    "evaluation_report",
    "placebo_adapter",
    "champion_adapter",
    "retrieval_index",
)
DEADLINE = 120


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _ask(url: str, query: str) -> dict[str, object]:
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < DEADLINE:
        assert process.poll() is None, "the UI ended by itself"
        try:
            data = _ask(url, "{ repositoriesOrError { __typename } }")
            if data["repositoriesOrError"] == {"__typename": "RepositoryConnection"}:
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail("the UI didn't answer")


@pytest.fixture(scope="module")
def ui(walk: Walk) -> Iterator[str]:
    port = _free_port()
    command = [*PROGRAM, "ui", "--port", str(port), "--config", str(walk.config)]
    log = walk.home / "ui.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment(walk.home), stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


@contextmanager
def _browser_page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "install Debian's package chromium"
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        try:
            yield page
        finally:
            browser.close()


def test_the_asset_graph_shows_the_chain_with_what_each_asset_made(
    ui: str, walk: Walk, tmp_path: Path
) -> None:
    with _browser_page() as page:
        page.goto(f"{ui}/asset-groups", wait_until="domcontentloaded")
        for asset in ASSETS:
            expect(page.get_by_text(asset, exact=True).first).to_be_visible(timeout=60_000)
        picture = tmp_path / "assets.png"
        page.screenshot(path=picture)
        assert picture.stat().st_size > 20_000
        page.goto(f"{ui}/assets/sft_jsonl?view=overview", wait_until="domcontentloaded")
        expect(page.get_by_text("examples_train").first).to_be_visible(timeout=60_000)
        train = walk.result["generate_data"]["examples"]["train"]
        expect(page.get_by_text(str(train), exact=True).first).to_be_visible(timeout=30_000)


def test_runs_started_in_the_terminal_are_seen_in_the_ui(ui: str, walk: Walk) -> None:
    data = _ask(ui, "{ runsOrError { ... on Runs { results { runId status jobName } } } }")
    runs = {run["runId"]: run for run in data["runsOrError"]["results"]}  # type: ignore[index]
    for stage in ("generate_data", "train", "evaluate"):
        assert runs[walk.result[stage]["run_id"]]["status"] == "SUCCESS"


def test_the_blocking_checks_passed_and_the_verdict_is_one_of_them(ui: str, walk: Walk) -> None:
    query = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks {
        name blocking executionForLatestMaterialization { status } } } } } }"""
    nodes = _ask(ui, query)["assetNodes"]
    checks = {
        check["name"]: check
        for node in nodes  # type: ignore[attr-defined]
        for check in node["assetChecksOrError"].get("checks", [])
    }
    assert set(checks) == {"sft_not_empty", "no_leak_in_sft", "adapter_loads", "promotable"}
    promoted = walk.result["evaluate"]["verdict"]["decision"] == "promote"
    for name, check in checks.items():
        assert check["blocking"]
        passed = promoted or name != "promotable"
        status = check["executionForLatestMaterialization"]["status"]
        assert status == ("SUCCEEDED" if passed else "FAILED")


def test_a_job_launched_on_the_workspace_does_what_repo_tune_run_does(ui: str, walk: Walk) -> None:
    """`refresh_job` finds the repository that was added by hand, and nothing left to do."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dagster")), "job", "launch",
         "-w", "workspace.yaml", "-j", "refresh_job"],
        cwd=CHECKOUT,
        env=environment(walk.home, DAGSTER_HOME=str(walk.home / "dagster")),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    query = """{ runsOrError(filter: {pipelineName: "refresh_job"}, limit: 1) {
        ... on Runs { results { status } } } }"""
    started = time.monotonic()
    status = ""
    while status not in ("SUCCESS", "FAILURE", "CANCELED"):
        assert time.monotonic() - started < 300, status
        time.sleep(1)
        results = _ask(ui, query)["runsOrError"]["results"]  # type: ignore[index]
        status = results[0]["status"] if results else ""
    assert status == "SUCCESS"
    newest = (walk.home / "adapters" / "main" / "latest").resolve().name
    assert newest == walk.result["train"]["version"]

"""The HTTP API against its own document, by schemathesis: every check, with and without a token."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.end_to_end.serving import serve
from repo_tune_pipeline_tests.service.serving import make_home

SECONDS = 60
# Jobs fail at once, since there is no data, and answers are short: only their form is asked for.
CONFIG = """\
repositories: []
answering: {max_tokens: 4}
training: {max_steps: 2}
evaluation: {placebo: ""}
service: {folders: [/nowhere]}
variants: {main: {}}
"""
# The defaults and 413: that a body is larger than the service reads, no schema can say.
CHECKS = """\
[checks]
positive_data_acceptance.expected-statuses = [
    "2xx", "3xx", "401", "403", "404", "409", "413", "429", "5xx",
]
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx",
]
"""


@pytest.mark.slow
@pytest.mark.parametrize("token", ["", "t0ken-for-the-test"], ids=["open", "token"])
def test_the_service_does_what_its_document_says(tmp_path: Path, token: str) -> None:
    home = make_home(tmp_path / "home", starter_folder(), name="starter")
    config = tmp_path / "repo_tune.yaml"
    config.write_text(CONFIG)
    checks = tmp_path / "schemathesis.toml"
    checks.write_text(CHECKS)
    headers = ["--header", f"Authorization: Bearer {token}"] if token else []
    with serve(home.root, config, REPO_TUNE_API_TOKEN=token) as served:
        # The first answer loads the model, which takes longer than an answer may.
        known = {"Authorization": f"Bearer {token}"} if token else {}
        served.post("/query", json={"q": "split_header"}, headers=known)
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("st")),
                f"--config-file={checks}",
                "run",
                f"{served.url}/openapi.json",
                *headers,
                "--checks=all",
                f"--max-time={SECONDS}",
                "--phases=examples,coverage,fuzzing,stateful",
                "--request-timeout=60",
                "--continue-on-failure",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS + 240,
        )
    assert done.returncode == 0, done.stdout[-6000:]
    # What one call answers is put into the next: without such links a phase would test nothing.
    assert re.search(r"API Links: +\d+ covered / [1-9]", done.stdout), done.stdout[-6000:]

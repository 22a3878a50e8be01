"""The built wheel by itself, beside nothing of the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel; its dependencies are this one's.

    A path file adds this environment's packages. Python doesn't follow the path files that it
    finds there, so that the checkout, which is installed by such a file, stays out.
    """
    base = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", base, CHECKOUT], check=True)
    subprocess.run([sys.executable, "-m", "venv", base / "env"], check=True)
    wheel = next(base.glob("repo_tune_pipeline-*.whl"))
    python = base / "env" / "bin" / "python"
    subprocess.run([python, *pip[1:], "install", "--no-deps", wheel], check=True)
    site = next((base / "env" / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return base / "env" / "bin"


def _run(arguments: list[str], cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=cwd, env=environment(home), capture_output=True, text=True, check=False
    )


def test_the_wheel_brings_its_configs_grammars_and_starter(installed: Path, tmp_path: Path) -> None:
    where = _run(
        [str(installed / "python"), "-c", "import repo_tune_pipeline as p; print(p.__file__)"],
        tmp_path,
        tmp_path / "home",
    )
    assert str(installed.parent) in where.stdout
    done = _run([str(installed / "repo-tune"), "doctor", "--json"], tmp_path, tmp_path / "home")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["findings"]
    assert str(installed.parent) in found["base model"]["text"]


def test_the_wheel_reads_a_repository_and_makes_data(
    installed: Path, small_repository: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    program = str(installed / "repo-tune")
    assert _run([program, "ingest", str(small_repository)], tmp_path, home).returncode == 0
    done = _run([program, "generate-data", "--json"], tmp_path, home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["examples"]["train"] > 100


def test_the_wheel_is_a_dagster_code_location(installed: Path, tmp_path: Path) -> None:
    dagster = [str(installed / "python"), "-m", "dagster", "definitions", "validate"]
    done = _run([*dagster, "-m", "repo_tune_pipeline.definitions"], tmp_path, tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr

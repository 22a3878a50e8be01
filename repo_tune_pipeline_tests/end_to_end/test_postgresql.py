"""The chain on the instance that `configs/dagster/production.yaml` describes: a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import CONFIG
from repo_tune_pipeline_tests.end_to_end.program import CHECKOUT, repo_tune

NAME = "dagster"


def program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, "install Debian's package postgresql"
    return str(found[-1])


def as_server(command: list[str]) -> None:
    """PostgreSQL doesn't run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/", timeout=120)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A server on a port of its own, with an empty database; the variables that lead to it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    # Its own folder: those of pytest are closed to other users.
    folder = Path("/var/tmp") / f"repo-tune-postgresql-{port}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    data = str(folder / "data")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        as_server([program("initdb"), "-D", data, "-U", NAME, "-A", "trust"])
        as_server(
            [program("pg_ctl"), "-D", data, "-o", options, "-l", f"{data}/log", "-w", "start"]
        )
        try:
            as_server([program("createdb"), "-h", "127.0.0.1", "-p", port, "-U", NAME, "runs"])
            yield {
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": port,
                "DAGSTER_PG_USERNAME": NAME,
                "DAGSTER_PG_PASSWORD": "none",
                "DAGSTER_PG_DB": "runs",
                "DAGSTER_COMPUTE_LOGS": str(tmp_path / "logs"),
            }
        finally:
            as_server([program("pg_ctl"), "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_the_chain_runs_on_postgresql(
    database: Mapping[str, str], small_repository: Path, tmp_path: Path
) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    shutil.copy(CHECKOUT / "configs/dagster/production.yaml", instance / "dagster.yaml")
    config = tmp_path / "repo_tune.yaml"
    config.write_text(CONFIG)
    variables = {**database, "DAGSTER_HOME": str(instance)}
    arguments = ("run", small_repository, "--config", config, "--json")
    done = repo_tune(*arguments, home=tmp_path / "home", **variables)
    assert done.code == 0, done.err
    assert done.result["evaluate"]["verdict"]["decision"] in ("promote", "hold")
    again = repo_tune(*arguments, home=tmp_path / "home", **variables)
    assert again.result["train"]["run_id"] == done.result["train"]["run_id"]
    query = "SELECT count(*) FROM runs WHERE pipeline_name = 'fine_tune_job'"
    counted = subprocess.run(
        [
            program("psql"), "-h", "127.0.0.1", "-p", database["DAGSTER_PG_PORT"], "-U", NAME,
            "-d", "runs", "-Atc", query,
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert counted.stdout.strip() == "1"
    assert not list(instance.rglob("*.db"))

"""A server that doesn't answer: asked again in a run that nobody waits for, and only there."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.defs import failures
from repo_tune_pipeline.defs.ingestion import ingested_repo
from repo_tune_pipeline.defs.workspace import Workspace
from repo_tune_pipeline_tests.ingestion.conftest import TRUSTED
from repo_tune_pipeline_tests.ingestion.repositories import Repository
from repo_tune_pipeline_tests.ingestion.server import GitServer

NAME = "team/shop"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    config = tmp_path / "repo_tune.yaml"
    config.write_text(yaml.safe_dump({"ingestion": {**TRUSTED, "private_hosts": ["localhost"],
                                                    "licenses": {"trusted": ["*"]}}}))  # fmt: skip
    monkeypatch.setenv("REPO_TUNE_CONFIG", str(config))
    monkeypatch.setenv("REPO_TUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(failures, "PAUSE_SECONDS", 0)
    return Home(tmp_path / "home")


@pytest.mark.parametrize(
    ("busy", "tags", "tries", "ends_well"),
    [
        (2, failures.UNATTENDED, 2, True),
        (9, failures.UNATTENDED, 3, False),
        (9, {}, 1, False),
    ],
    ids=["busy for a while", "busy for long", "somebody waits"],
)
def test_a_busy_server(
    busy: int,
    tags: dict[str, str],
    tries: int,
    ends_well: bool,
    home: Home,
    repository: Repository,
    https_server: GitServer,
) -> None:
    commit = repository.commit({"a.py": b"def pay():\n    return 1\n"})
    served = https_server.root / "team" / "shop.git"
    repository.git("clone", "--quiet", "--bare", "--no-local", ".", str(served))
    https_server.busy = busy
    config = {"source": f"https://localhost:{https_server.port}/team/shop.git"}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("repos", [NAME])
        result = dg.materialize(
            [ingested_repo],
            instance=instance,
            partition_key=NAME,
            resources={"workspace": Workspace()},
            run_config={"ops": {"ingested_repo": {"config": config}}},
            tags=tags,
            raise_on_error=False,
        )
    assert result.success == ends_well
    again = [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert len(again) == tries - 1
    if ends_well:
        assert (home.snapshot(NAME) / "files.parquet").is_file()
        assert commit in str(result.asset_materializations_for_node("ingested_repo")[0].metadata)
    else:
        failed = next(event for event in result.all_events if event.is_step_failure)
        told = failed.step_failure_data.user_failure_data
        assert told is not None
        assert "503" in str(told.metadata["problem"].value)

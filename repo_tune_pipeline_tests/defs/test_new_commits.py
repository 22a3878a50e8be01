"""Which repositories are read again, and when: Dagster's own evaluation of the sensor."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from repo_tune_pipeline.defs.automation import new_commits
from repo_tune_pipeline.defs.code_location import defs
from repo_tune_pipeline.registry import Registered, register
from repo_tune_pipeline_tests.defs.sensors import looked
from repo_tune_pipeline_tests.end_to_end.program import commit_all, git


def test_a_new_commit_is_read_once_and_what_cannot_be_reached_is_said(tmp_path, home):
    source = code_at(tmp_path, home)
    first = commit_all(source)
    register(home, Registered("local/gone", str(tmp_path / "gone")))
    with dg.DagsterInstance.ephemeral() as instance:
        found = looked(new_commits, instance)
        assert [one.partition_key for one in found.run_requests] == ["local/code"]
        assert [one.partition_keys for one in found.dynamic_partitions_requests] == [["local/code"]]
        assert not home.mirrors.exists()
        assert read(instance, found) == first
        told = looked(new_commits, instance)
        assert told.run_requests == []
        assert "local/gone can't be reached" in told.skip_reason.skip_message


def test_a_commit_is_read_again_once_its_branch_comes_back_to_it(tmp_path, home):
    source = code_at(tmp_path, home)
    first = commit_all(source)
    with dg.DagsterInstance.ephemeral() as instance:
        assert read(instance, looked(new_commits, instance)) == first
        second = commit_all(source, "again")
        assert read(instance, looked(new_commits, instance)) == second
        git(source, "reset", "--hard", first)
        assert read(instance, looked(new_commits, instance)) == first


def test_a_commit_is_read_again_once_the_settings_of_reading_change(tmp_path, home):
    source = code_at(tmp_path, home)
    first = commit_all(source)
    with dg.DagsterInstance.ephemeral() as instance:
        assert read(instance, looked(new_commits, instance)) == first
        config = Path(os.environ["REPO_TUNE_CONFIG"])
        config.write_text(config.read_text() + "ingestion: {max_file_bytes: 1000}\n")
        assert read(instance, looked(new_commits, instance)) == first


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "CANCELING"])
def test_a_repository_that_is_being_read_is_left_alone(tmp_path, home, status):
    source = code_at(tmp_path, home)
    commit_all(source)
    with dg.DagsterInstance.ephemeral() as instance:
        asked = looked(new_commits, instance)
        instance.add_dynamic_partitions("repos", ["local/code"])
        run_of(instance, asked.run_requests[0], dg.DagsterRunStatus[status])
        commit_all(source, "again")
        again = looked(new_commits, instance)
        assert again.run_requests == []
        assert "is being read" in again.skip_reason.skip_message


@pytest.mark.parametrize("end", ["report_run_failed", "report_run_canceled"])
def test_what_could_not_be_read_is_tried_again_an_hour_later_or_at_its_next_commit(
    tmp_path, home, monkeypatch, end
):
    source = code_at(tmp_path, home)
    commit_all(source)
    with dg.DagsterInstance.ephemeral() as instance:
        asked = looked(new_commits, instance)
        instance.add_dynamic_partitions("repos", ["local/code"])
        run = run_of(instance, asked.run_requests[0], dg.DagsterRunStatus.STARTED)
        getattr(instance, end)(run)
        soon = looked(new_commits, instance)
        assert soon.run_requests == []
        assert "tried again" in soon.skip_reason.skip_message
        later, an_hour = time.time(), 3600
        with monkeypatch.context() as at:
            at.setattr(time, "time", lambda: later + an_hour - 60)
            assert looked(new_commits, instance).run_requests == []
            at.setattr(time, "time", lambda: later + an_hour + 1)
            assert requested(looked(new_commits, instance)) == ["local/code"]
        commit_all(source, "again")
        assert requested(looked(new_commits, instance)) == ["local/code"]


def code_at(tmp_path, home):
    """A folder with a little code, known as local/code; not a repository yet."""
    source = tmp_path / "code"
    source.mkdir()
    (source / "a.py").write_text("def a():\n    return 1\n")
    register(home, Registered("local/code", str(source)))
    return source


def requested(told):
    """The repositories that are to be read, each by a run that no earlier one stands for."""
    assert [one.run_key for one in told.run_requests] == [None] * len(told.run_requests)
    return [one.partition_key for one in told.run_requests]


def read(instance, told):
    """Do what was requested, as Dagster would; the commit that was read."""
    assert requested(told) == ["local/code"]
    request = told.run_requests[0]
    instance.add_dynamic_partitions("repos", ["local/code"])
    result = defs.resolve_job_def("ingest_job").execute_in_process(
        instance=instance,
        partition_key=request.partition_key,
        run_config=request.run_config,
        tags=dict(request.tags),
    )
    assert result.success
    metadata = result.asset_materializations_for_node("ingested_repo")[0].metadata
    return metadata["commit"].value


def run_of(instance, request, status):
    """A run as the daemon makes it from a request."""
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    return instance.create_run_for_job(
        defs.resolve_job_def("ingest_job"),
        status=status,
        tags={**request.tags, "dagster/partition": request.partition_key},
        remote_job_origin=place.get_job_origin("ingest_job"),
        job_code_origin=JobPythonOrigin(
            "ingest_job", RepositoryPythonOrigin(sys.executable, ModuleCodePointer("here", "defs"))
        ),
    )

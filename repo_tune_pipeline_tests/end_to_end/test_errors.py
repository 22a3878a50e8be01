"""Each mistake a user can make ends in one clear message, and leaves nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import (
    CHECKOUT,
    PROGRAM,
    Done,
    commit_all,
    environment,
    git,
    repo_tune,
)


def _told(done: Done, code: int, *words: str) -> None:
    assert done.code == code, done.err
    assert "Traceback" not in done.err + done.out
    message = done.err[done.err.index("repo-tune: ") :]
    for word in words:
        assert word in message, message


def _nothing_left(home: Path) -> None:
    left = [path for path in (home / "repos").rglob("*") if path.is_file()]
    left += [path for path in home.glob("datasets/*") if path.is_dir()]
    assert left == []


def test_a_source_that_is_no_repository(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _told(repo_tune("ingest", tmp_path / "nowhere", home=home), 2, "nowhere")
    _nothing_left(home)


def test_a_ref_that_does_not_exist(small_repository: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = repo_tune("ingest", small_repository, "--ref", "v9.9", home=home)
    _told(done, 2, "v9.9")
    _nothing_left(home)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    _told(repo_tune("ingest", tmp_path / "empty", home=tmp_path / "home"), 1, "empty")
    _nothing_left(tmp_path / "home")


def test_a_repository_with_nothing_usable_prints_its_funnel(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    (folder / "yarn.lock").write_text("x")
    commit_all(folder)
    done = repo_tune("ingest", folder, home=tmp_path / "home")
    _told(done, 1, "lockfile", "2")
    _nothing_left(tmp_path / "home")


def test_too_few_examples_to_hold_any_out(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "one.py").write_text(
        'def add(a, b):\n    """Add two numbers up."""\n    return a + b\n'
    )
    commit_all(folder)
    done = repo_tune("run", folder, home=tmp_path / "home")
    _told(done, 1, "held out", "sft.heldout_share")
    assert not list((tmp_path / "home").glob("datasets/*"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sft:\n  heldout_shared: 0.2\n", ("sft.heldout_shared", "heldout_share", "tasks")),
        ("sft:\n  heldout_share: much\n", ("sft.heldout_share", "much")),
        ("training: [1]\n", ("training",)),
        ("sft: {\n", ("YAML",)),
    ],
)
def test_a_configuration_that_is_wrong(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(text)
    done = repo_tune("generate-data", "--config", config, home=tmp_path / "home")
    _told(done, 2, "mine.yaml", *words)


def test_an_unknown_key_in_the_training_recipe(walk: Walk, tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    shutil.copytree(CHECKOUT / "configs", configs)
    recipe = configs / "axolotl.yaml"
    recipe.write_text(recipe.read_text() + "\nlora_rr: 8\n")
    shutil.copy(walk.config, configs / "repo_tune.yaml")
    done = repo_tune("train", "--config", configs / "repo_tune.yaml", home=walk.home)
    _told(done, 2, "axolotl.yaml", "lora_rr", "lora_r")


def test_a_base_model_that_cannot_be_had(walk: Walk) -> None:
    done = repo_tune(
        "train", "--base-model", "nobody/no-such-model", "--config", walk.config, home=walk.home
    )
    _told(done, 1, "nobody/no-such-model")


def test_a_variant_or_an_option_that_does_not_exist(walk: Walk) -> None:
    done = repo_tune("train", "--variant", "rust", "--config", walk.config, home=walk.home)
    _told(done, 2, "rust", "main")
    assert repo_tune("train", "--no-such-option", home=walk.home).code == 2


def test_an_error_is_one_json_object_where_json_was_asked_for(tmp_path: Path) -> None:
    done = repo_tune("ingest", tmp_path / "nowhere", "--json", home=tmp_path / "home")
    assert done.code == 2
    assert set(json.loads(done.out)) == {"error", "remedy", "exit_code"}


def test_a_full_disk_is_named_and_leaves_nothing_behind(
    small_repository: Path, tmp_path: Path
) -> None:
    """The home lies on a file system of its own, too small for the data set."""
    home = tmp_path / "home"
    home.mkdir()
    program = " ".join(["exec", *PROGRAM, "run", str(small_repository), "--home", str(home)])
    script = f"mount -t tmpfs -o size=1500k none {home} && head -c 1100k /dev/zero >{home}/fill; "
    script += f"{program}; code=$?; find {home}/datasets {home}/repos -type f; exit $code"
    script = script.replace("exec ", "")
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=CHECKOUT,
        env=environment(home, DAGSTER_HOME=_elsewhere(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    _told(Done(done.returncode, done.stdout, done.stderr), 1, "disk is full", str(home))
    assert "Traceback" not in done.stdout
    temporary = [line for line in done.stdout.splitlines() if "/." in line.replace("/.repo", "")]
    assert temporary == []


def _elsewhere(tmp_path: Path) -> str:
    """A Dagster instance outside the small file system: its database isn't what is tested."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(CHECKOUT / "configs" / "dagster" / "local.yaml", folder / "dagster.yaml")
    return str(folder)


def test_the_program_runs_from_a_folder_without_a_configuration(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "repo_tune_pipeline.cli", "doctor", "--json"],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)["findings"]
    assert found["git"]["status"] == "ok"
    assert found["base model"]["text"].startswith("starter: ")


def test_each_client_is_told_where_to_ask(tmp_path: Path) -> None:
    told = {
        client: repo_tune("client-config", client, "--url", "http://box:1/", home=tmp_path)
        for client in ("continue", "tabby", "aider")
    }
    assert all(done.code == 0 for done in told.values())
    models = yaml.safe_load(told["continue"].out)["models"]
    assert {model["apiBase"] for model in models} == {"http://box:1/v1"}
    assert {role for model in models for role in model["roles"]} == {"chat", "edit", "autocomplete"}
    tabby = tomllib.loads(told["tabby"].out)["model"]
    assert {tabby[kind]["http"]["api_endpoint"] for kind in tabby} == {"http://box:1/v1"}
    assert "OPENAI_API_BASE=http://box:1/v1\n" in told["aider"].out
    whole = repo_tune("client-config", "aider", "--url", "http://box:1/", "--json", home=tmp_path)
    assert whole.result["snippet"] == told["aider"].out
    assert repo_tune("client-config", "vim", home=tmp_path).code == 2
    unknown = repo_tune("client-config", "aider", "--model", "base:rust", home=tmp_path)
    assert (unknown.code, "No variant is called rust" in unknown.err) == (2, True)

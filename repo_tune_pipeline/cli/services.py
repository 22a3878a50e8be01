"""The commands around the chain: the doctor, the list of repositories."""

from __future__ import annotations

from typing import Annotated

import typer

from repo_tune_pipeline import doctor as checkup
from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.cli.chain import run_chain
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, JsonOption, Place
from repo_tune_pipeline.registry import load_state, registered
from repo_tune_pipeline.settings import configs_dir


def doctor(config: ConfigOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """Say what is missing or too small here, and what to do about it."""
    place = Place.of(config, home)
    findings = list(checkup.examine(place.home, place.settings, configs_dir(config)))
    display = Display(json=json)
    rows = [(finding.name, finding.status, finding.text) for finding in findings]
    display.table("This machine", ("what", "", "finding"), rows)
    failed = [finding.name for finding in findings if finding.status == "missing"]
    display.result(
        {
            "ok": not failed,
            "findings": {f.name: {"status": f.status, "text": f.text} for f in findings},
        }
    )
    if failed:
        raise typer.Exit(1)


def repos(
    remove: Annotated[
        str, typer.Option("--remove", help="OWNER/NAME to forget.", show_default=False)
    ] = "",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """List the ingested repositories, or remove one."""
    place = Place.of(config, home)
    display = Display(json=json)
    if remove:
        registered(place.home, remove)
        run_chain(place, {"command": "forget", "name": remove}, display)
        display.line(f"{remove} was removed; data sets and adapters made from it stay.")
    entries = [_described(place, name) for name in place.home.repo_names()]
    rows = [(str(e["repo"]), str(e["commit"])[:12], str(e["source"])) for e in entries]
    display.table("Repositories", ("repository", "commit", "source"), rows)
    display.result({"repos": entries, **({"removed": remove} if remove else {})})


def _described(place: Place, name: str) -> dict[str, object]:
    entry = read_json(place.home.repo(name) / "source.json")
    state = load_state(place.home, "ingest", name)
    commit = state.result.get("commit", "") if state else ""
    return {"repo": name, "source": entry["source"], "ref": entry["ref"], "commit": commit}

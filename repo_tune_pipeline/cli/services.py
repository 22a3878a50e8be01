"""The commands around the chain: the UI, the doctor, the list of repositories."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Annotated

import typer

from repo_tune_pipeline import doctor as checkup
from repo_tune_pipeline.artifacts import read_json
from repo_tune_pipeline.cli.chain import run_chain
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, JsonOption, Place, program
from repo_tune_pipeline.errors import RepoTuneError
from repo_tune_pipeline.registry import load_state, registered
from repo_tune_pipeline.settings import configs_dir

LOCATION = ["-m", "repo_tune_pipeline.definitions"]
STOP_SECONDS = 15.0


def ui(
    port: Annotated[int, typer.Option("--port", help="Where the page is served.")] = 3000,
    host: Annotated[str, typer.Option("--host", help="The address to bind.")] = "127.0.0.1",
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Serve the Dagster UI and run its daemon, until Ctrl-C."""
    place = Place.of(config, home)
    environment = place.environment()
    web = [program("dagster-webserver"), *LOCATION, "-h", host, "-p", str(port)]
    daemon = [program("dagster-daemon"), "run", *LOCATION]
    display = Display(json=False)
    display.line(f"Dagster UI: http://{host}:{port}  (state: {place.home.root}; Ctrl-C ends it)")
    children = [subprocess.Popen(web, env=environment)]
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` leaves SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        # The page first: started together, the two would wait for each other's imports.
        _wait_for_page(children[0], host, port)
        children.append(subprocess.Popen(daemon, env=environment))
        run_chain(place, {"command": "register"}, display)
        while all(child.poll() is None for child in children):
            time.sleep(0.2)
    except KeyboardInterrupt:
        display.line("Ending the UI and its daemon.")
        return
    finally:
        _end(children)
    ended = next(child for child in children if child.returncode is not None)
    raise RepoTuneError(
        f"{Path(str(ended.args[0])).name} ended with {ended.returncode}.",  # pyright: ignore
        f"See its messages above; is port {port} taken?",
    )


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


def _wait_for_page(web: subprocess.Popen[bytes], host: str, port: int) -> None:
    """Return when the page can be opened, or its server has ended."""
    while web.poll() is None:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _described(place: Place, name: str) -> dict[str, object]:
    entry = read_json(place.home.repo(name) / "source.json")
    state = load_state(place.home, "ingest", name)
    commit = state.result.get("commit", "") if state else ""
    return {"repo": name, "source": entry["source"], "ref": entry["ref"], "commit": commit}


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()

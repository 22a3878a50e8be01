"""Which repositories were added, from where, and what each stage last did."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from repo_tune_pipeline.artifacts import Home, digest_json, read_json, write_json
from repo_tune_pipeline.errors import StorageError, UsageError
from repo_tune_pipeline.jobs import keep_result


@dataclass(frozen=True, slots=True)
class Registered:
    """A repository to ingest: its key `owner/name`, its source without credentials, its ref."""

    name: str
    source: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class StageState:
    """A stage's newest success.

    `fingerprint` identifies everything the result depends on; the same fingerprint means that
    the stage has nothing to do. `result` is what the commands print of it.
    """

    fingerprint: str
    data_version: str
    result: dict[str, object] = field(default_factory=dict[str, object])


def register(home: Home, entry: Registered) -> None:
    """Remember where `entry.name` is read from; another source under that name replaces it."""
    write_json(home.repo(entry.name) / "source.json", asdict(entry))


def registered(home: Home, name: str) -> Registered:
    """The repository known as `name`.

    Raises:
        UsageError: there is none.
    """
    file = home.repo(name) / "source.json"
    if not file.is_file():
        known = ", ".join(home.repo_names()) or "none"
        raise UsageError(
            f"No repository is known as {name} (known: {known}).",
            "Add it with `repo-tune ingest SOURCE`, or give `source` in the run's configuration.",
        )
    data = read_json(file)
    return Registered(name, str(data["source"]), str(data["ref"]))


def forget(home: Home, name: str) -> None:
    """Remove a repository with its snapshot, chunks and mirror; data sets made from it stay."""
    registered(home, name)
    for stage in ("ingest", "chunks"):
        home.state(stage, name).unlink(missing_ok=True)
    shutil.rmtree(home.mirrors / f"{name}.git", ignore_errors=True)
    shutil.rmtree(home.repo(name))


def save_state(home: Home, stage: str, key: str, state: StageState) -> None:
    """Record a stage's success, and beside the run's other results what it made."""
    write_json(home.state(stage, key), asdict(state))
    if run_id := state.result.get("run_id"):
        keep_result(home, str(run_id), stage, state.result)


def load_state(home: Home, stage: str, key: str) -> StageState | None:
    """What `save_state` recorded; None if the stage never succeeded or the record is broken."""
    try:
        data = read_json(home.state(stage, key))
    except StorageError:
        return None
    result = data.get("result")
    if not isinstance(result, dict):
        return None
    return StageState(str(data.get("fingerprint")), str(data.get("data_version")), result)


def fingerprint(*parts: object) -> str:
    """One digest over everything a result depends on; `parts` must be JSON values."""
    return digest_json(list(parts))


def known_repositories(home: Home, configured: Iterable[Registered]) -> list[Registered]:
    """The configured repositories and those added by hand, each name once, by name.

    The configuration wins where both name one.
    """
    found = {name: registered(home, name) for name in home.repo_names()}
    found.update({entry.name: entry for entry in configured})
    return [found[name] for name in sorted(found)]

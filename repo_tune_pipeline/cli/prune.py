"""`repo-tune prune`: old versions go, what a champion stands on stays."""

from __future__ import annotations

from typing import Annotated

import typer

from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, JsonOption, Place
from repo_tune_pipeline.pruning import prune as remove_old

_MB = 1_000_000


def prune(
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, help="Newest versions.", show_default="the configuration's"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Remove old adapter versions with their reports and data sets, but never a champion's."""
    place = Place.of(config, home)
    kept = keep or place.settings.retraining.keep_versions
    found = remove_old(place.home, kept, dry_run=dry_run)
    display = Display(json=json)
    names = [str(folder.relative_to(place.home.root)) for folder in found.folders]
    for name in names:
        display.line(name)
    what = "would be removed" if dry_run else "were removed"
    display.line(f"{len(names)} folders with {found.size / _MB:,.1f} MB {what}.")
    display.result({"removed": names, "bytes": found.size, "dry_run": dry_run})

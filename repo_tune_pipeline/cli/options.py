"""The options that every command takes, and what follows from them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from repo_tune_pipeline.artifacts import Home, write_file
from repo_tune_pipeline.settings import Settings, configs_dir, home_dir, load_settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file.", show_default="configs/repo_tune.yaml"),
]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Where all state lies.", show_default=".repo_tune"),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output, the rest beside it.")
]
VariantOption = Annotated[
    str, typer.Option("--variant", help="An adapter that the configuration names.")
]
ProfileOption = Annotated[
    str,
    typer.Option("--profile", help="A file of configs/profiles/, or `auto`.", show_default=False),
]
BaseModelOption = Annotated[
    str,
    typer.Option("--base-model", help="`starter`, a hub id or a folder.", show_default=False),
]
MaxStepsOption = Annotated[
    int | None, typer.Option("--max-steps", min=1, help="Stop after N steps.", show_default=False)
]
NumGpusOption = Annotated[
    int | None,
    typer.Option("--num-gpus", min=1, help="Train on N GPUs together.", show_default="all"),
]
ShuffleOption = Annotated[
    bool,
    typer.Option(
        "--shuffle-labels", help="A control: train on answers that belong to other questions."
    ),
]
PlaceboOption = Annotated[
    bool,
    typer.Option(
        "--placebo/--no-placebo",
        help="Train a placebo beside the adapter, as the configuration names it.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what it will need, and train nothing.")
]
PriceOption = Annotated[
    float | None,
    typer.Option(
        "--price-per-hour", min=0, help="Of the machine, for --dry-run.", show_default=False
    ),
]


@dataclass(frozen=True)
class Place:
    """The validated configuration and home of one command."""

    config: Path | None
    home: Home
    settings: Settings

    @classmethod
    def of(cls, config: Path | None, home: Path | None) -> Place:
        """Read and validate the configuration.

        Raises:
            ConfigError: it can't be read, or has an unknown key or a wrong type.
        """
        return cls(config, Home(home_dir(home)), load_settings(config))

    def dagster_home(self) -> Path:
        """DAGSTER_HOME as it is set, else our own instance, made when it isn't there."""
        named = os.environ.get("DAGSTER_HOME")
        if named:
            return Path(named)
        folder = self.home.dagster
        if not (folder / "dagster.yaml").is_file():
            local = configs_dir() / "dagster" / "local.yaml"
            write_file(folder / "dagster.yaml", local.read_bytes())
        return folder

    def environment(self) -> dict[str, str]:
        """The environment of a child process that works in this place."""
        changed = {
            "REPO_TUNE_HOME": str(self.home.root),
            "DAGSTER_HOME": str(self.dagster_home()),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        if self.config is not None:
            changed["REPO_TUNE_CONFIG"] = str(self.config.absolute())
        return {**os.environ, **changed}


def program(name: str) -> str:
    """The path of a program installed beside this interpreter, or on the PATH."""
    import sys

    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.is_file() else shutil.which(name) or name

"""`repo-tune export`: what was made, in the forms that other tools take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import ConfigOption, HomeOption, JsonOption, Place
from repo_tune_pipeline.sft import axolotl_entry, export_dataset

app = typer.Typer(no_args_is_help=True, help="Write what was made in other forms.")


@app.callback()
def export() -> None:
    """Write what was made in other forms."""


@app.command()
def data(
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder that isn't there yet.")],
    form: Annotated[
        str, typer.Option("--format", help="messages, sharegpt or alpaca.")
    ] = "messages",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """The newest data set as chat messages, ShareGPT or Alpaca, a file for each side."""
    place = Place.of(config, home)
    dataset = place.home.latest_dataset.resolve()
    target = export_dataset(dataset, output.absolute(), form)
    datasets = [axolotl_entry(target, form)]
    display = Display(json=json)
    display.line(f"{form} from {dataset}: {target}")
    display.line("To learn from it, Axolotl's configuration says:")
    display.line(yaml.safe_dump({"datasets": datasets}, sort_keys=False).rstrip())
    display.result(
        {
            "dataset": str(dataset),
            "format": form,
            "output": str(target),
            "axolotl": {"datasets": datasets},
        }
    )

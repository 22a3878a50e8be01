"""`repo-tune export`: what was made, in the forms that other tools take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml

from repo_tune_pipeline import exports
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import (
    ConfigOption,
    HomeOption,
    JsonOption,
    Place,
    VariantOption,
)
from repo_tune_pipeline.sft import axolotl_entry, export_dataset

app = typer.Typer(no_args_is_help=True, help="Write what was made in other forms.")


@app.callback()
def export() -> None:
    """Write what was made in other forms."""


VersionOption = Annotated[
    str,
    typer.Option("--version", help="An adapter version.", show_default="the champion, or newest"),
]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", help="A folder that isn't there yet.")
]


@app.command()
def adapter(
    output: OutputOption,
    variant: VariantOption = "main",
    version: VersionOption = "",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """An adapter version as a folder for PEFT and vLLM, with a model card."""
    chosen = exports.find_version(Place.of(config, home).home, variant, version)
    _show(json, chosen, exports.export_adapter(chosen, output.absolute()))


@app.command()
def merged(
    output: OutputOption,
    variant: VariantOption = "main",
    version: VersionOption = "",
    precision: Annotated[
        str, typer.Option("--precision", help="base, float32, bfloat16 or float16.")
    ] = "base",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Base model and adapter as one model for transformers, vLLM and Ollama."""
    chosen = exports.find_version(Place.of(config, home).home, variant, version)
    _show(json, chosen, exports.export_merged(chosen, output.absolute(), precision))


@app.command()
def push(
    folder: Annotated[Path, typer.Argument(help="An exported adapter or merged model.")],
    repo: Annotated[str, typer.Argument(help="OWNER/NAME on the hub.")],
    public: Annotated[bool, typer.Option("--public", help="Let everyone see it.")] = False,
    json: JsonOption = False,
) -> None:
    """Upload an exported folder to a Hugging Face hub; private unless told otherwise."""
    address = exports.push_folder(folder, repo, public=public)
    display = Display(json=json)
    display.line(address)
    display.result({"folder": str(folder), "repo": repo, "url": address})


def _show(json: bool, chosen: exports.AdapterVersion, made: dict[str, str]) -> None:
    display = Display(json=json)
    display.line(f"{chosen.name}: {made['output']}")
    for server in ("vllm", "ollama"):
        if server in made:
            display.line(f"{server}: {made[server]}")
    display.result({"adapter": str(chosen.folder), "version": chosen.run["version"], **made})


@app.command()
def data(
    output: OutputOption,
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

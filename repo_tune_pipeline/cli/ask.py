"""`repo-tune ask`: one question, one answer, with its sources."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from repo_tune_pipeline import answering
from repo_tune_pipeline.answering import MODEL_KINDS
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import (
    ConfigOption,
    HomeOption,
    JsonOption,
    Place,
    VariantOption,
)
from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.models.quiet import quietly


def ask(
    question: Annotated[str, typer.Argument(help="In your words; names of code help.")],
    model: Annotated[
        str, typer.Option("--model", help="fine-tuned, base, gemini or openai.")
    ] = "fine-tuned",
    variant: VariantOption = "main",
    repo: Annotated[
        str, typer.Option("--repo", help="Only this OWNER/NAME.", show_default="all")
    ] = "",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a question over the code that a search finds, and name the sources."""
    if model not in MODEL_KINDS:
        raise UsageError(f"There is no model {model!r}.", f"Ask one of {', '.join(MODEL_KINDS)}.")
    place = Place.of(config, home)
    opened = answering.open_model(model, variant, place.home, place.settings)
    with quietly():
        result = answering.ask(question, opened, place.home, place.settings, repo=repo)
    display = Display(json=json)
    display.line(result["answer"])
    if result["sources"]:
        display.table("Sources", ("", "lines", "symbol"), [_row(one) for one in result["sources"]])
    display.result(result)


def _row(source: dict[str, Any]) -> tuple[str, str, str]:
    where = f"{source['repo']}@{source['commit'][:12]} {source['path']}"
    return where, f"{source['start_line']}-{source['end_line']}", source["symbol"]

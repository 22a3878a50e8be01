"""The commands that walk the chain, or a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from repo_tune_pipeline.cli.chain import run_chain
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.forecast import show_forecast
from repo_tune_pipeline.cli.options import (
    BaseModelOption,
    ConfigOption,
    DryRunOption,
    HomeOption,
    JsonOption,
    MaxStepsOption,
    NumGpusOption,
    Place,
    PlaceboOption,
    PriceOption,
    ProfileOption,
    ShuffleOption,
    VariantOption,
)

_COUNTED = {
    "ingestion": "files",
    "chunking": "definitions and sections",
    "sft": "candidates for examples",
}
DEMO_NAME = "repo-tune/repo-tune-pipeline"

RefOption = Annotated[
    str, typer.Option("--ref", help="Branch, tag or commit.", show_default="the source's HEAD")
]
NameOption = Annotated[
    str, typer.Option("--name", help="OWNER/NAME to know it by.", show_default="from the source")
]


def ingest(
    source: Annotated[
        str, typer.Argument(help="A git URL, a local repository, a folder or an archive.")
    ],
    ref: RefOption = "",
    name: NameOption = "",
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Add and read one repository."""
    request = {
        "command": "ingest",
        "sources": [{"source": source, "ref": ref, "name": name}],
    }
    result = _walk(config, home, json, request)
    _show_ingested(Display(json=json), result)


def generate_data(
    config: ConfigOption = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Make examples from all ingested repositories."""
    result = _walk(config, home, json, {"command": "generate-data"})
    _show_data(Display(json=json), result)


def train(
    variant: VariantOption = "main",
    profile: ProfileOption = "",
    base_model: BaseModelOption = "",
    max_steps: MaxStepsOption = None,
    num_gpus: NumGpusOption = None,
    shuffle_labels: ShuffleOption = False,
    dry_run: DryRunOption = False,
    price_per_hour: PriceOption = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Train one adapter version."""
    changes = _training(profile, base_model, max_steps, num_gpus, shuffle_labels)
    if dry_run:
        show_forecast(Place.of(config, home), variant, changes, price_per_hour, json=json)
        return
    request = {"command": "train", "variant": variant, "training": changes}
    result = _walk(config, home, json, request)
    Display(json=json).table("Adapter", ("", ""), _pairs(result))


def evaluate(
    variant: VariantOption = "main",
    placebo: PlaceboOption = True,
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Report on the newest adapter."""
    request = {"command": "evaluate", "variant": variant, "placebo": placebo}
    result = _walk(config, home, json, request)
    _show_report(Display(json=json), result)


def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="What to ingest.", show_default="the configuration's repositories"),
    ] = None,
    profile: ProfileOption = "",
    base_model: BaseModelOption = "",
    max_steps: MaxStepsOption = None,
    num_gpus: NumGpusOption = None,
    shuffle_labels: ShuffleOption = False,
    placebo: PlaceboOption = True,
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """All of it: ingest, generate data, train, evaluate; what is unchanged is left alone."""
    request = {
        "command": "run",
        "sources": [{"source": source} for source in sources or []],
        "training": _training(profile, base_model, max_steps, num_gpus, shuffle_labels),
        "placebo": placebo,
    }
    _show_run(Display(json=json), _walk(config, home, json, request))


def demo(config: ConfigOption = None, home: HomeOption = None, json: JsonOption = False) -> None:
    """The whole chain on this checkout with the starter model; no network, no GPU."""
    request = {
        "command": "run",
        "sources": [{"source": str(_checkout()), "name": DEMO_NAME}],
        "variant": "main",
        "training": {"profile": "starter", "base_model": "starter"},
        "placebo": False,
    }
    _show_run(Display(json=json), _walk(config, home, json, request))


def _checkout() -> Path:
    """This package's own checkout, or where the user stands if it was installed as a wheel."""
    beside = Path(__file__).parents[2]
    return beside if (beside / ".git").exists() else Path.cwd()


def _walk(
    config: Path | None, home: Path | None, json: bool, request: Mapping[str, object]
) -> dict[str, Any]:
    place = Place.of(config, home)
    with Display(json=json) as display:
        result = run_chain(place, request, display)
    display.result(result)
    return result


def _training(
    profile: str,
    base_model: str,
    max_steps: int | None,
    num_gpus: int | None,
    shuffle_labels: bool,
) -> dict[str, object]:
    return {
        "profile": profile,
        "base_model": base_model,
        "max_steps": max_steps or 0,
        "num_gpus": num_gpus or 0,
        "shuffle_labels": shuffle_labels,
    }


def _show_run(display: Display, result: Mapping[str, Any]) -> None:
    for ingested in result["ingest"]:
        _show_ingested(display, ingested)
    _show_data(display, result["generate_data"])
    evaluated = result["evaluate"]
    for report in evaluated if isinstance(evaluated, list) else [evaluated]:
        _show_report(display, report)


def _show_ingested(display: Display, result: Mapping[str, Any]) -> None:
    files = result["files"]
    rows = [("seen", f"{files['seen']:,}"), ("kept", f"{files['kept']:,}")]
    rows += [(f"dropped: {name}", f"{n:,}") for name, n in files["dropped"].items()]
    rows += [("chunks", f"{result['chunks']:,}")]
    display.table(f"{result['repo']} at {result['commit'][:12]}: files", ("", "count"), rows)
    if result["notice"]:
        display.line(result["notice"])


def _show_data(display: Display, result: Mapping[str, Any]) -> None:
    rows = [(task, f"{n:,}") for task, n in result["by_task"].items()]
    display.table("Examples", ("task", "count"), rows)
    stages = [
        (counted, f"{funnel['seen']:,}", f"{funnel['kept']:,}", _reasons(funnel["dropped"]))
        for stage, counted in _COUNTED.items()
        for funnel in (result["funnels"][stage],)
    ]
    display.table("What became of everything", ("", "seen", "kept", "dropped"), stages)


def _reasons(dropped: Mapping[str, int]) -> str:
    ordered = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered)


def _show_report(display: Display, result: Mapping[str, Any]) -> None:
    cells = [(model, context) for model, found in result["cells"].items() for context in found]
    values = [result["cells"][model][context]["all"] for model, context in cells]
    metrics = list(dict.fromkeys(metric for value in values for metric in value))
    rows = [
        (metric, *(f"{v[metric]['value']:.3f}" if metric in v else "" for v in values))
        for metric in metrics
    ]
    names = tuple(
        model if context == "plain" else f"{model}, {context}" for model, context in cells
    )
    display.table("Held-out files", ("metric", *names), rows)
    verdict = result["verdict"]
    display.line(f"Verdict: {verdict['decision']}. {' '.join(verdict['reasons'])}")
    display.line(f"Report: {result['report_html']}")


def _pairs(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [(name, str(value)) for name, value in result.items()]

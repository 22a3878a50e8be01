"""`repo-tune train --dry-run`: what a training will need."""

from __future__ import annotations

from collections.abc import Mapping

from repo_tune_pipeline import training
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import Place
from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.settings import configs_dir
from repo_tune_pipeline.training import DevicePlan, Forecast

GIB = 1024**3


def show_forecast(
    place: Place,
    variant: str,
    changes: Mapping[str, object],
    price_per_hour: float | None,
    *,
    json: bool,
) -> None:
    """Print the plan of a training with this run's changes to the configuration.

    Raises:
        ConfigError: the variant, the profile or the recipe isn't right.
        BaseModelError: nothing is known of the base model's sizes.
    """
    variants = place.settings.variants
    if variant not in variants:
        raise ConfigError(
            f"There is no variant {variant!r}.", f"The configuration names {', '.join(variants)}."
        )
    dataset = place.home.latest_dataset
    plan = training.forecast(
        settings=place.settings.training.changed(changes),
        configs=configs_dir(place.config),
        home=place.home,
        variant=variant,
        filter=variants[variant],
        dataset=dataset.resolve() if dataset.is_dir() else None,
        price_per_hour=price_per_hour,
    )
    display = Display(json=json)
    for text in plan.notes:
        display.line(text)
    display.table(f"{plan.base_model} here", ("", ""), _here(plan))
    display.table("On a GPU", ("", *(card.device for card in plan.cards)), _cards(plan))
    for text in plan.warnings:
        display.line(text)
    display.result(plan.to_json())


def _here(plan: Forecast) -> list[tuple[str, ...]]:
    here = plan.here
    memory = here.memory
    rows = [("device", here.device), ("profile", here.profile)]
    rows += [(f"memory: {part}", _gib(size)) for part, size in memory.parts().items() if size]
    rows += [("memory: in all", f"{_gib(memory.total)} of {_gib(here.free)} free")]
    rows += [("settings", str(here.rung or "none fit"))]
    rows += [("parameters", f"{plan.parameters:,}")]
    if plan.steps is not None:
        rows += [("examples", f"{plan.examples:,}"), ("steps", f"{plan.steps:,}")]
        rows += [("tokens", f"about {plan.tokens:,}")]
    rate = f"{_rounded(here.speed.tokens_per_second)} tokens/s, {here.speed.source}"
    return [*rows, ("speed", rate), ("time", _hours(here)), ("cost", _cost(here))]


def _cards(plan: Forecast) -> list[tuple[str, ...]]:
    cards = plan.cards
    parts = cards[0].memory.parts()
    rows = [("profile", *(card.profile for card in cards))]
    rows += [
        (f"memory: {part}", *(_gib(card.memory.parts()[part]) for card in cards))
        for part in parts
        if any(card.memory.parts()[part] for card in cards)
    ]
    rows += [
        ("in all", *(f"{_gib(card.memory.total)} of {_gib(card.free)}" for card in cards)),
        ("settings", *(_settings(card) for card in cards)),
        ("time", *(_hours(card) for card in cards)),
    ]
    return rows


def _settings(card: DevicePlan) -> str:
    rung = card.rung
    if rung is None:
        return "doesn't fit"
    batch = f"{rung.micro_batch_size} x {rung.gradient_accumulation_steps}"
    checkpointing = ", checkpointing" if rung.gradient_checkpointing else ""
    return f"{batch}, {rung.sequence_len} tokens{checkpointing}"


def _hours(device: DevicePlan) -> str:
    if device.rung is None or device.hours is None:
        return "-"
    if device.hours < 1 / 60:
        return f"{device.hours * 3600:.0f} seconds"
    if device.hours < 1:
        return f"{device.hours * 60:.0f} minutes"
    return f"{device.hours:.1f} hours"


def _cost(device: DevicePlan) -> str:
    return "-" if device.cost is None else f"{device.cost:.2f}"


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _gib(size: int) -> str:
    return f"{size / GIB:.2f} GiB"

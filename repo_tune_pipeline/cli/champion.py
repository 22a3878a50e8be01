"""`repo-tune champion`: which version answers, and the way back to the one before."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from repo_tune_pipeline import champions
from repo_tune_pipeline.champions import Champion
from repo_tune_pipeline.cli.display import Display
from repo_tune_pipeline.cli.options import (
    ConfigOption,
    HomeOption,
    JsonOption,
    Place,
    VariantOption,
)

RollbackOption = Annotated[
    bool,
    typer.Option("--rollback", help="Put the champion before the present one back."),
]


def champion(
    variant: VariantOption = "main",
    rollback: RollbackOption = False,
    config: ConfigOption = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Show the version that answers, or go back to the one before."""
    place = Place.of(config, home)
    now = (
        champions.roll_back(place.home, variant)
        if rollback
        else champions.standing(place.home, variant)
    )
    result: dict[str, Any] = {
        "variant": variant,
        "champion": now.champion.version if now.champion else None,
        "reasons": list(now.champion.reasons) if now.champion else [],
        "earlier": [one.version for one in now.earlier],
        "withdrawn": list(now.withdrawn),
    }
    display = Display(json=json)
    display.result(result)
    if now.champion is None:
        display.line(f"Variant {variant} has no champion: no version was promoted yet.")
        return
    rows = [_row("champion", now.champion)]
    rows += [_row("before", one) for one in reversed(now.earlier)]
    rows += [("withdrawn", version, "") for version in now.withdrawn]
    display.table(f"Variant {variant}", ("", "version", "promoted because"), rows)


def _row(name: str, one: Champion) -> tuple[str, str, str]:
    return name, one.version, " ".join(one.reasons)

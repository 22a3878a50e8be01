"""Which adapter version of a variant is the champion: `champions/<variant>.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home, read_json, write_json

CHAMPION_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Champion:
    """An adapter version and the reasons of the verdict that promoted it."""

    version: str
    reasons: tuple[str, ...]


def consider(home: Home, variant: str, report: Mapping[str, Any]) -> Champion | None:
    """Make the adapter of `report` the champion if its verdict is `promote`.

    Args:
        home: where the champions are kept.
        variant: the adapter's variant.
        report: a `report.json`; its `verdict` and `adapter.version` are read.

    Returns:
        The champion from now on: the new one, the one before, or None where there never was one.
    """
    verdict = report["verdict"]
    current = champion(home, variant)
    version = str(report["adapter"]["version"])
    if verdict["decision"] != "promote" or (current and current.version == version):
        return current
    promoted = Champion(version, tuple(verdict["reasons"]))
    earlier = _history(home, variant)
    write_json(
        home.champion(variant),
        {**asdict(promoted), "earlier": [*earlier, asdict(current)] if current else earlier},
    )
    return promoted


def champion(home: Home, variant: str) -> Champion | None:
    """The champion of `variant`; None where no version was promoted yet."""
    file = home.champion(variant)
    if not file.is_file():
        return None
    data = read_json(file)
    return Champion(str(data["version"]), tuple(cast(list[str], data["reasons"])))


def _history(home: Home, variant: str) -> list[object]:
    file = home.champion(variant)
    return cast(list[object], read_json(file)["earlier"]) if file.is_file() else []

"""Which adapter version of a variant is the champion: `champions/<variant>.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home, read_json, write_json
from repo_tune_pipeline.errors import UsageError

CHAMPION_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Champion:
    """An adapter version and the reasons of the verdict that promoted it."""

    version: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A variant's champion (None: there is none), those before it (the newest last), and those
    that were taken back: no report promotes them again.
    """

    champion: Champion | None = None
    earlier: tuple[Champion, ...] = ()
    withdrawn: tuple[str, ...] = ()


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
    now = standing(home, variant)
    version = str(report["adapter"]["version"])
    current = now.champion.version if now.champion else ""
    if verdict["decision"] != "promote" or version in (current, *now.withdrawn):
        return now.champion
    promoted = Champion(version, tuple(verdict["reasons"]))
    earlier = (*now.earlier, now.champion) if now.champion else now.earlier
    _save(home, variant, Standing(promoted, earlier, now.withdrawn))
    return promoted


def roll_back(home: Home, variant: str) -> Standing:
    """Put the champion before the present one back, in one step; the present one is withdrawn.

    Raises:
        UsageError: there is none before it whose adapter is still here.
    """
    now = standing(home, variant)
    if now.champion is None:
        raise UsageError(f"Variant {variant} has no champion.", "There is nothing to take back.")
    left = list(now.earlier)
    while left:
        before = left.pop()
        if (home.adapters(variant) / before.version).is_dir():
            after = Standing(before, tuple(left), (*now.withdrawn, now.champion.version))
            _save(home, variant, after)
            return after
    raise UsageError(
        f"Before {now.champion.version} variant {variant} had no champion whose adapter is here.",
        "Train another version, or ask the base model.",
    )


def champion(home: Home, variant: str) -> Champion | None:
    """The champion of `variant`; None where no version was promoted yet."""
    return standing(home, variant).champion


def standing(home: Home, variant: str) -> Standing:
    """The champion of `variant` and its history."""
    file = home.champion(variant)
    if not file.is_file():
        return Standing()
    data = cast("dict[str, Any]", read_json(file))
    earlier = tuple(_champion(one) for one in data["earlier"])
    return Standing(_champion(data), earlier, tuple(data.get("withdrawn", ())))


def _champion(data: Mapping[str, Any]) -> Champion:
    return Champion(str(data["version"]), tuple(data["reasons"]))


def _save(home: Home, variant: str, now: Standing) -> None:
    if now.champion is None:
        return
    write_json(
        home.champion(variant),
        {
            **asdict(now.champion),
            "earlier": [asdict(one) for one in now.earlier],
            "withdrawn": list(now.withdrawn),
        },
    )

"""Answers without this machine's paths: a caller needs to know what happened, not where."""

from __future__ import annotations

import re
from typing import Any, cast

from repo_tune_pipeline.artifacts import Home

_PATH = re.compile(
    r"(?<![\w:/.~-])(?:~|\.\.)?/(?:[^\s/:;,'\"<>|()\[\]{}]+/)*([^\s/:;,'\"<>|()\[\]{}]+)"
)


def without_places(value: Any, home: Home) -> Any:
    """`value`, a JSON value, whose strings name files below the home directory relative to it and
    others by their last part.
    """
    if isinstance(value, str):
        inside = value.replace(f"{home.root}/", "").replace(str(home.root), "REPO_TUNE_HOME")
        return _PATH.sub(lambda found: found[1], inside)
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {key: without_places(inner, home) for key, inner in entries.items()}
    if isinstance(value, list):
        return [without_places(inner, home) for inner in cast("list[Any]", value)]
    return value

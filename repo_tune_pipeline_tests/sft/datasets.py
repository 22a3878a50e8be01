"""A small data set on disk, for tests of its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from repo_tune_pipeline.records import Change
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft import Dataset, build_dataset, load_packs
from repo_tune_pipeline_tests.sft.stocks import library, stocked

DOMAINS = Path(__file__).parents[2] / "configs" / "domains"
SETTINGS = SftSettings(min_heldout_examples=1)
PACKS = load_packs(DOMAINS, SETTINGS.domains)
CHANGE = Change(
    commit="d" * 40,
    date="2026-01-01T00:00:00+00:00",
    subject="Return a dict of the kept values",
    body="",
    path="pkg/alpha_0.py",
    language="Python",
    license="MIT",
    hunk=" def keep(values):\n-    return values\n+    kept = dict(values)\n+    return kept\n ",
    start_line=1,
    end_line=4,
)


def made(folder: Path, **wishes: object) -> Dataset:
    stock = stocked(folder / "repos", library(), dropped={"logo.png": "binary"}, changes=(CHANGE,))
    wish = SETTINGS.model_copy(update=wishes)
    return build_dataset([stock], folder / "datasets", settings=wish, packs=PACKS)


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]

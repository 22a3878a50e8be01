"""Domain packs that a user writes: what is wrong with one is said with file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.sft import load_packs

PACK = """
name: mine
description: A pack.
topics:
  - name: things
    title: things
    words: [thing]
    questions: ["How does {repo} do {topic}?"]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title:", "titel:", r"mine\.yaml.*"),
        ("description:", "about:", r"mine\.yaml"),
        ("words: [thing]", "words: [thing]\n    wrods: [x]", r"topics\.0\.wrods.*words"),
        ("words: [thing]", "words: [two words]", r"topics\.0\.words\.0"),
        ("{repo}", "{repository}", r"topics\.0\.questions.*\{repo\}"),
        ("name: mine", "name: other", r"mine\.yaml.*other"),
        ("topics:", "topics: [", r"isn't valid YAML"),
    ],
)
def test_a_wrong_pack_names_file_and_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PACK.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_packs(tmp_path, ["mine"])
    assert "mine.yaml" in str(caught.value)


def test_a_missing_pack_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PACK)
    assert load_packs(tmp_path, ["mine"])[0].topics[0].name == "things"
    with pytest.raises(ConfigError, match=r"yours.*Found there: mine"):
        load_packs(tmp_path, ["mine", "yours"])

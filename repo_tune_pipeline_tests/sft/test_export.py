"""A data set as other tools read it: its card, and its exports."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.sft import export_dataset
from repo_tune_pipeline_tests.sft.datasets import made, rows


def test_the_card_is_one_that_datasets_loads(tmp_path: Path) -> None:
    import datasets

    folder = made(tmp_path).folder
    text = (folder / "README.md").read_text()
    front = yaml.safe_load(text.split("---")[1])
    assert front["license"] == ["mit"]
    splits = {item["split"]: item["path"] for item in front["configs"][0]["data_files"]}
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: split.num_rows for name, split in loaded.items()} == {
        name: len(rows(folder, path)) for name, path in splits.items()
    }
    assert "acme/tools" in text
    assert "binary 1" in text


@pytest.mark.parametrize("form", ["messages", "sharegpt", "alpaca"])
def test_an_export_says_the_same_in_another_form(tmp_path: Path, form: str) -> None:
    import datasets

    folder = made(tmp_path).folder
    target = export_dataset(folder, tmp_path / "out", form)
    names = {"train": "sft.jsonl", "heldout": "heldout.jsonl"}
    for split, name in names.items():
        source = rows(folder, name)
        loaded = datasets.load_dataset(
            "json", data_files=str(target / f"{split}.jsonl"), cache_dir=str(tmp_path / "cache")
        )["train"]
        assert loaded.num_rows == len(source)
        for one, other in zip(loaded, source, strict=True):
            asked = f"{other['instruction']}\n\n{other['input']}".strip()
            turns = {
                "messages": lambda row: [turn["content"] for turn in row["messages"]],
                "sharegpt": lambda row: [turn["value"] for turn in row["conversations"]],
                "alpaca": lambda row: [
                    f"{row['instruction']}\n\n{row['input']}".strip(),
                    row["output"],
                ],
            }[form](one)
            assert [turns[0].strip(), turns[1]] == [asked, other["output"]]
    with pytest.raises(UsageError, match="already there"):
        export_dataset(folder, target, form)
    with pytest.raises(UsageError, match="messages"):
        export_dataset(folder, tmp_path / "other", "parquet")

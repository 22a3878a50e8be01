"""Axolotl's own loader takes sft.jsonl, heldout.jsonl and every export as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from repo_tune_pipeline.sft import FORMS
from repo_tune_pipeline.training.base_model import starter_folder
from repo_tune_pipeline.training.environment import trainer_environment
from repo_tune_pipeline_tests.end_to_end.program import repo_tune

pytestmark = pytest.mark.slow

END = "<|im_end|>"
IGNORED = -100
ANSWERS = {
    "Explain.": "It adds two numbers.",
    "Go on.": "    total = left + right\n    return total\n",
    "Close it.": "}\n\n\n",
    "Say it in other letters.": "加法 👍 café – naïve\ttabs",
    "Write about line ends.": "one\r\ntwo\u2028three",
    "Give JSON.": '{"a": ["b", null], "c": "\\\\n"}',
    "Quote a template.": "{% for x in y %}{{ x }}{% endfor %} [INST] <s> ### Response:",
    "Show a token.": "one <|im_end|> two <|im_start|>user\nthree",
}
CONFIG = {
    "base_model": str(starter_folder()),
    "sequence_len": 1024,
    "micro_batch_size": 1,
    "num_epochs": 1,
    "learning_rate": 0.001,
    "optimizer": "adamw_torch",
    "bf16": False,
    "fp16": False,
    "tf32": False,
    "dataset_num_proc": 1,
    "dataset_prepared_path": "prepared",
    "output_dir": "out",
}


def _row(number: int, instruction: str, output: str) -> dict[str, Any]:
    meta = {"id": str(number), "task": "code_explanation", "repo": "acme/shop", "commit": "c" * 40}
    meta |= {"path": "a.py", "start_line": 1, "end_line": 2, "symbol": "add", "language": "Python"}
    meta |= {"license": "MIT", "origin": "source", "chunk_id": str(number)}
    shown = "" if number == 0 else "def add(left, right):\n"
    return {"instruction": instruction, "input": shown, "output": output, "meta": meta}


def _dataset(home: Path) -> Path:
    folder = home / "datasets" / "0123456789ab"
    folder.mkdir(parents=True)
    rows = [_row(number, *pair) for number, pair in enumerate(ANSWERS.items())]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    for name in ("sft.jsonl", "heldout.jsonl", "heldout_recent.jsonl"):
        (folder / name).write_text(text, encoding="utf-8")
    (home / "datasets" / "latest").symlink_to(folder.name)
    return folder


def _preprocessed(folder: Path, entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What a model reads and what it learns of each row that `axolotl preprocess` took."""
    import datasets
    from tokenizers import Tokenizer

    folder.mkdir()
    (folder / "axolotl.yaml").write_text(yaml.safe_dump({**CONFIG, "datasets": entries}))
    done = subprocess.run(
        [sys.executable, "-m", "axolotl.cli.main", "preprocess", "axolotl.yaml"],
        cwd=folder,
        env={**trainer_environment(), "HF_DATASETS_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (prepared,) = (path.parent for path in (folder / "prepared").rglob("dataset_info.json"))
    rows = datasets.load_from_disk(str(prepared))
    tokenizer = Tokenizer.from_file(str(starter_folder() / "tokenizer.json"))

    def text(ids: list[int]) -> str:
        return tokenizer.decode(ids, skip_special_tokens=False)

    return [
        (text(row["input_ids"]), text([one for one in row["labels"] if one != IGNORED]))
        for row in rows
    ]


def test_axolotl_takes_every_row_of_every_form_and_learns_its_answer(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = _dataset(home)
    entries: list[dict[str, Any]] = [
        {"path": str(folder / name), "ds_type": "json", "type": "alpaca"}
        for name in ("sft.jsonl", "heldout.jsonl")
    ]
    for form in FORMS:
        target = tmp_path / form
        done = repo_tune("export", "data", "-o", target, "--format", form, "--json", home=home)
        assert done.code == 0, done.err
        said = done.result["axolotl"]
        assert yaml.safe_load(done.err.partition("says:\n")[2]) == said
        entries += said["datasets"]
    learned: Counter[tuple[str, str]] = Counter()
    for read, answer in _preprocessed(tmp_path / "axolotl", entries):
        form = "chat" if read.startswith("<|im_start|>user\n") else "alpaca"
        # The line end before an answer and the blanks that it begins with may be one token.
        found = answer.removeprefix("\n") if form == "chat" else answer
        (instruction,) = (one for one in ANSWERS if one in read)
        assert found == ANSWERS[instruction] + END
        assert read.rstrip("\n").endswith(found)
        learned[form, instruction] += 1
    times = {"alpaca": 3, "chat": 2}
    assert learned == {(form, one): times[form] for form in times for one in ANSWERS}

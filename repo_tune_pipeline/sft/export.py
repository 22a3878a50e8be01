"""A data set in the forms that other tools read: chat messages, ShareGPT, Alpaca."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, get_args

import orjson

from repo_tune_pipeline.artifacts import new_folder, write_file
from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.prompting import user_text
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.sft.lines import encode, iterate_examples

Form = Literal["messages", "sharegpt", "alpaca"]
FORMS: tuple[Form, ...] = get_args(Form)
SPLITS = {
    "train": "sft.jsonl",
    "heldout": "heldout.jsonl",
    "heldout_recent": "heldout_recent.jsonl",
}
"""The files of a data set, by the name that an export gives them."""


def export_dataset(dataset: Path, target: Path, form: str) -> Path:
    """Write every side of `dataset` as `target/<split>.jsonl`, whole or not at all.

    Args:
        dataset: a data set's folder.
        target: a folder that doesn't exist yet.
        form: `messages` ({"messages": [{"role", "content"}]}), `sharegpt` ({"conversations":
            [{"from", "value"}]}) or `alpaca` ({"instruction", "input", "output"}).

    Raises:
        UsageError: an unknown form, or a target that is there.
        StorageError: the data set can't be read, or the target can't be written.
    """
    if form not in _ROWS:
        raise UsageError(f"No form is called {form}.", f"Known: {', '.join(FORMS)}.")
    if target.exists():
        raise UsageError(f"{target} is already there.", "Name a folder that isn't.")
    with new_folder(target) as building:
        for split, name in SPLITS.items():
            lines = _lines(dataset / name, _ROWS[form])
            write_file(building / f"{split}.jsonl", lines)
    return target


def axolotl_entry(target: Path, form: str) -> dict[str, object]:
    """What to write under `datasets` in Axolotl's configuration to learn from an export.

    The chat forms are asked as the base model's own chat template has it; a base model without
    one needs `chat_template: chatml` in the configuration.
    """
    return {"path": str(target / "train.jsonl"), "ds_type": "json", **_AXOLOTL[form]}


def _lines(file: Path, row_of: Callable[[SftExample], dict[str, object]]) -> Iterator[bytes]:
    for example in iterate_examples(file):
        yield encode(row_of(example), orjson.OPT_APPEND_NEWLINE)


def _messages(example: SftExample) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": user_text(example.instruction, example.input)},
            {"role": "assistant", "content": example.output},
        ]
    }


def _sharegpt(example: SftExample) -> dict[str, object]:
    return {
        "conversations": [
            {"from": "human", "value": user_text(example.instruction, example.input)},
            {"from": "gpt", "value": example.output},
        ]
    }


def _alpaca(example: SftExample) -> dict[str, object]:
    return {
        "instruction": example.instruction,
        "input": example.input,
        "output": example.output,
    }


_ROWS: dict[str, Callable[[SftExample], dict[str, object]]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
}
_AXOLOTL: dict[str, dict[str, object]] = {
    "messages": {"type": "chat_template", "field_messages": "messages"},
    "sharegpt": {
        "type": "chat_template",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    },
    "alpaca": {"type": "alpaca"},
}

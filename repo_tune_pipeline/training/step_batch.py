"""Which examples the step under way learns from, found again by their token ids.

The trainer knows rows of token ids; which examples they were is only asked where a step went wrong.
Used inside the trainer's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from repo_tune_pipeline.prompting import Tokenizer, encode_example


class StepBatch:
    """The rows of one optimizer step, over all its micro-batches.

    `tokens` counts those of all steps so far, questions too and padding not.
    """

    def __init__(self, trainer: Any) -> None:
        self.tokens = 0
        self._rows: list[Any] = []
        original = trainer.training_step
        padding = trainer.processing_class.pad_token_id

        def training_step(model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
            rows = inputs["input_ids"]
            self._rows.append(rows)
            mask = inputs.get("attention_mask")
            if mask is None:
                # Rows of several examples come without one. What is learned is no padding, though
                # a model may end its answers with the token that it pads with.
                mask = (rows != padding) | (inputs["labels"] >= 0)
            self.tokens += int(mask.sum())
            return original(model, inputs, *rest, **named)

        trainer.training_step = training_step

    def begin(self) -> None:
        """A new step begins."""
        self._rows.clear()

    def lines(self, data: Path, tokenizer: Tokenizer) -> list[int]:
        """The numbers of the lines of `data`, from 0, whose examples are in the batch.

        A packed row holds several examples, one after the other.
        """
        rows = [_spelled(row) for batch in self._rows for row in batch.tolist()]
        return [
            number
            for number, ids in enumerate(_encoded(data, tokenizer))
            if any(ids in row for row in rows)
        ]


def _encoded(data: Path, tokenizer: Tokenizer) -> Iterator[str]:
    with data.open("rb") as stream:
        for line in stream:
            one = orjson.loads(line)
            encoded = encode_example(tokenizer, one["instruction"], one["input"], one["output"])
            yield _spelled([*encoded.prompt, *encoded.answer])


def _spelled(ids: Iterable[int]) -> str:
    return f" {' '.join(map(str, ids))} "

"""The prompt strategy that configs/axolotl.yaml names: Axolotl learns what `prompting` encodes."""

# Axolotl imports this module inside its own process.
# ruff: noqa: TID253

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from axolotl.prompt_tokenizers import IGNORE_INDEX, PromptTokenizingStrategy
from axolotl.prompters import Prompter

from repo_tune_pipeline.prompting import Tokenizer, encode_example


class ExampleStrategy(PromptTokenizingStrategy):
    """Token ids of one example, with the loss on the answer and its end of turn alone."""

    def tokenize_prompt(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, prompt: Mapping[str, str]
    ) -> dict[str, list[int]]:
        encoded = encode_example(
            cast(Tokenizer, self.tokenizer),
            prompt["instruction"],
            prompt["input"],
            prompt["output"],
        )
        ids = [*encoded.prompt, *encoded.answer]
        return {
            "input_ids": ids,
            "attention_mask": [1] * len(ids),
            "labels": [IGNORE_INDEX] * len(encoded.prompt) + encoded.answer,
        }


def load(tokenizer: Tokenizer, cfg: Any, ds_cfg: Any = None) -> ExampleStrategy:
    """What Axolotl calls for `type: repo_tune_pipeline.training.prompt_strategy`."""
    del ds_cfg
    return ExampleStrategy(Prompter(), tokenizer, sequence_len=cfg.sequence_len)

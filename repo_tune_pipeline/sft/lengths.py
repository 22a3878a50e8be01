"""The gate for length: an example must fit into what the trainer shows the base model at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from repo_tune_pipeline.artifacts import digest_file
from repo_tune_pipeline.prompting import user_text
from repo_tune_pipeline.records import SftExample
from repo_tune_pipeline.sft.tokens import TokenCounter, tokenizer_file

FRAME_TOKENS = 64
"""What a chat template adds at most around question and answer; Qwen2's is 26 tokens."""
TOO_MANY_TOKENS = "too_many_tokens"


class TokenLimit(msgspec.Struct, frozen=True):
    """`most` tokens of the tokenizer in `file`, whose content has this `digest`."""

    file: str
    digest: str
    most: int

    @classmethod
    def of(cls, base_model: str, sequence_len: int) -> TokenLimit | None:
        """The limit for a base model; None where its tokenizer isn't on this machine."""
        file = tokenizer_file(base_model)
        return None if file is None else cls(str(file), digest_file(file), sequence_len)


def too_long(examples: Sequence[SftExample], limit: TokenLimit | None) -> list[bool]:
    """Of each example, whether it has more tokens than the limit allows.

    Raises:
        BaseModelError: the tokenizer can't be read.
    """
    if limit is None:
        return [False] * len(examples)
    texts = [f"{user_text(one.instruction, one.input)}\n{one.output}" for one in examples]
    return _counter(limit.file).over(texts, limit.most - FRAME_TOKENS)


@lru_cache(maxsize=2)
def _counter(file: str) -> TokenCounter:
    return TokenCounter.load(Path(file))

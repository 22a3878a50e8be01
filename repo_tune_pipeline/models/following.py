# ruff: noqa: TID253
"""Answers watched while they are written: text as it comes, and an end as soon as it is wanted.

Imports torch and transformers, as `local` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import StoppingCriteria
from transformers.generation.streamers import BaseStreamer

from repo_tune_pipeline.models.protocol import Follower

_PARTIAL = "\ufffd"
"""What a character's first bytes decode to."""


class FollowedBatch(BaseStreamer, StoppingCriteria):
    """Hands the rows of one `generate` call to a follower, token by token.

    Args:
        rows: the follower's number of each row.
        follower: who watches.
        decode: token ids to text.
        stops: token ids that end an answer.
    """

    def __init__(
        self,
        rows: Sequence[int],
        follower: Follower,
        decode: Callable[[Sequence[int]], str],
        stops: frozenset[int],
    ) -> None:
        self._rows = rows
        self._follower = follower
        self._decode = decode
        self._stops = stops
        self._ids: list[list[int]] = [[] for _ in rows]
        self._ended = [False] * len(rows)
        self._prompts_seen = False

    def put(self, value: torch.Tensor) -> None:
        if not self._prompts_seen:
            self._prompts_seen = True
            return
        for at, token in enumerate(value.reshape(-1).tolist()):
            self._ended[at] = self._ended[at] or token in self._stops
            if self._ended[at]:
                continue
            self._ids[at].append(token)
            text = self._decode(self._ids[at])
            if not text.endswith(_PARTIAL):
                self._follower.wrote(self._rows[at], text)

    def end(self) -> None:
        """Each row's text was told already."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.BoolTensor:
        del scores, kwargs
        over = [self._follower.is_over(row) for row in self._rows]
        return torch.tensor(over, dtype=torch.bool, device=input_ids.device)  # pyright: ignore

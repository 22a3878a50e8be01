# ruff: noqa: TID253
"""A base model on this machine, alone or with an adapter over the same weights.

Imports torch, transformers and peft: only a worker process, or a service that answers questions
itself, imports this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel
from transformers import (
    GenerationConfig,
    StoppingCriteriaList,
)

from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.models.following import FollowedBatch
from repo_tune_pipeline.models.protocol import Answer, Completion, Conversation, Follower, Question
from repo_tune_pipeline.prompting import (
    EncodedExample,
    encode_completion,
    encode_conversation,
    encode_example,
    encode_prompt,
    fill_marks,
)
from repo_tune_pipeline.records import SftExample

SCORE_BATCH_TOKENS = {"cpu": 1_024, "cuda": 8_192}
ANSWER_BATCH_TOKENS = {"cpu": 8_192, "cuda": 16_384}
"""Padded tokens in one batch. On a CPU more takes longer: it no longer fits the caches."""

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Score:
    """-ln p(answer | prompt) in nats, over `tokens` tokens, the end-of-turn token included."""

    nats: float
    tokens: int


class LocalModel:
    """An answerer over weights in this process. Not for several threads at once.

    `without_adapter()` is the base model on the very same weights, so that two models are
    compared for the memory of one.
    """

    def __init__(self, model: Any, tokenizer: Any, *, adapted: bool) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._adapted = adapted

    def without_adapter(self) -> LocalModel:
        return LocalModel(self._model, self._tokenizer, adapted=False)

    def merged(self) -> LocalModel:
        """This model with its adapter added into its weights; what it was isn't to be used again.

        For weights that aren't quantised: rounded ones would be rounded anew.
        """
        if not self._adapted:
            return self
        return LocalModel(self._model.merge_and_unload(), self._tokenizer, adapted=False)

    @property
    def weight_bytes(self) -> int:
        """What its weights take."""
        return sum(one.nbytes for one in self._model.parameters())

    @property
    def context(self) -> int:
        """The most tokens, prompt and answer together, that the model was built to read."""
        config = self._model.config
        return int(getattr(config, "max_position_embeddings", 0) or 1_024)

    @property
    def device(self) -> str:
        return str(self._model.device.type)

    @property
    def dtype(self) -> str:
        return str(self._model.dtype).removeprefix("torch.")

    def encode(self, example: SftExample) -> EncodedExample:
        """The example as this model reads it."""
        return encode_example(self._tokenizer, example.instruction, example.input, example.output)

    def count_tokens(self, text: str) -> int:
        """Tokens of plain text, without any special ones."""
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return len(encoded.input_ids)

    def beginning(self, text: str, tokens: int) -> str | None:
        """What the first `tokens` tokens of a text say; None for a text of fewer."""
        ids = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return self._decoded(ids[:tokens]) if len(ids) >= tokens else None

    @property
    def fills_gaps(self) -> bool:
        """Whether it knows tokens for filling in the middle."""
        return fill_marks(self._tokenizer) is not None

    def has_room(self, prompt: Question, max_tokens: int) -> bool:
        """Whether an answer of so many tokens to this question fits `context`."""
        return len(self._encode_question(prompt)) + max_tokens <= self.context

    def _encode_question(self, asked: Question) -> list[int]:
        if isinstance(asked, Conversation):
            return encode_conversation(self._tokenizer, asked.turns)
        if isinstance(asked, Completion):
            return encode_completion(self._tokenizer, asked.before, asked.after)
        return encode_prompt(self._tokenizer, asked.instruction, asked.input)

    def score(
        self, examples: Sequence[SftExample], *, progress: Progress | None = None
    ) -> list[Score]:
        """How well the model foretells each example's output, given its prompt.

        Only tokens of the answer count, with the end-of-turn token and without the prompt.
        Every example has to fit `context`. The result doesn't depend on how examples are batched.
        """
        return self._score([self.encode(example) for example in examples], progress)

    def score_texts(self, texts: Sequence[str]) -> list[Score]:
        """How well the model foretells texts that nobody asked for, from their second token on.

        What goes beyond `context` is left out.
        """
        rows = [
            list(
                self._tokenizer(
                    text, split_special_tokens=True, truncation=True, max_length=self.context
                ).input_ids
            )
            for text in texts
        ]
        return self._score([EncodedExample(row[:1], row[1:]) for row in rows], None)

    def _score(self, encoded: Sequence[EncodedExample], progress: Progress | None) -> list[Score]:
        scores: dict[int, Score] = {}
        lengths = [len(one.prompt) + len(one.answer) for one in encoded]
        for batch in _batches(lengths, SCORE_BATCH_TOKENS[self.device]):
            nats = self._batch_nats([encoded[index] for index in batch])
            for index, value in zip(batch, nats, strict=True):
                scores[index] = Score(value, len(encoded[index].answer))
            if progress is not None:
                progress(len(scores), len(encoded))
        return [scores[index] for index in range(len(encoded))]

    def answer(
        self,
        prompts: Sequence[Question],
        *,
        max_tokens: int,
        progress: Progress | None = None,
        follow: Follower | None = None,
    ) -> list[Answer]:
        """Greedy answers, each of at most `max_tokens` tokens; `follow` watches them grow.

        Raises:
            UsageError: a prompt leaves no room for an answer of `max_tokens` tokens, or asks for a
                gap to be filled of a model that can't.
        """
        encoded = [self._encode_question(prompt) for prompt in prompts]
        longest = max((len(one) for one in encoded), default=0)
        if longest + max_tokens > self.context:
            raise UsageError(
                f"A question is {longest} tokens long and leaves no room for {max_tokens} more in "
                f"the model's context of {self.context}.",
                "Ask about less text, or for a shorter answer.",
            )
        answers: dict[int, Answer] = {}
        lengths = [len(one) + max_tokens for one in encoded]
        for batch in _batches(lengths, ANSWER_BATCH_TOKENS[self.device]):
            found = self._batch_answers(
                [encoded[index] for index in batch], max_tokens, self._followed(batch, follow)
            )
            answers.update(zip(batch, found, strict=True))
            if progress is not None:
                progress(len(answers), len(prompts))
        return [answers[index] for index in range(len(prompts))]

    def _weights(self) -> AbstractContextManager[Any]:
        if self._adapted or not isinstance(self._model, PeftModel):
            return nullcontext()
        return self._model.disable_adapter()

    @torch.inference_mode()
    def _batch_nats(self, batch: Sequence[EncodedExample]) -> list[float]:
        # Padded on the left, all answers end at the same place: one slice of logits holds them
        # all, and the prompts' logits, most of the work of a small model, are never computed.
        ids, mask = self._pad([[*one.prompt, *one.answer] for one in batch])
        longest = max(len(one.answer) for one in batch)
        with self._weights():
            logits = (
                self._model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
                    logits_to_keep=longest + 1,
                    use_cache=False,
                )
                .logits[:, :-1]
                .float()
            )
        targets = ids[:, -longest:].clone()
        for row, one in enumerate(batch):
            targets[row, : longest - len(one.answer)] = -100
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), targets, ignore_index=-100, reduction="none"
        )
        return [float(value) for value in losses.double().sum(-1)]

    @torch.inference_mode()
    def _batch_answers(
        self, batch: Sequence[list[int]], max_tokens: int, followed: FollowedBatch | None
    ) -> list[Answer]:
        ids, mask = self._pad(batch)
        stops = self._stop_tokens()
        config = GenerationConfig(
            max_new_tokens=max_tokens,
            do_sample=False,
            num_beams=1,
            eos_token_id=stops,
            pad_token_id=self._pad_token,
        )
        watching: dict[str, Any] = {}
        if followed is not None:
            criteria = StoppingCriteriaList([followed])
            watching = {"streamer": followed, "stopping_criteria": criteria}
        with self._weights():
            made = self._model.generate(
                input_ids=ids, attention_mask=mask, generation_config=config, **watching
            )
        rows: list[list[int]] = made[:, ids.shape[1] :].tolist()
        return [
            self._read(row, len(prompt), frozenset(stops))
            for row, prompt in zip(rows, batch, strict=True)
        ]

    def _followed(self, rows: Sequence[int], follow: Follower | None) -> FollowedBatch | None:
        if follow is None:
            return None
        return FollowedBatch(rows, follow, self._decoded, frozenset(self._stop_tokens()))

    def _read(self, row: list[int], prompt_tokens: int, stops: frozenset[int]) -> Answer:
        end = next((at for at, token in enumerate(row) if token in stops), len(row))
        return Answer(self._decoded(row[:end]), prompt_tokens, end, finished=end < len(row))

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _pad(self, rows: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and mask, both (rows, longest row), padded on the left."""
        width = max(len(row) for row in rows)
        ids = [[self._pad_token] * (width - len(row)) + row for row in rows]
        mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
        device = self._model.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

    @property
    def _pad_token(self) -> int:
        for token in (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0

    def _stop_tokens(self) -> list[int]:
        """The end-of-turn tokens of the template, and the model's own end of text."""
        turn_end = encode_example(self._tokenizer, "", "", "").answer
        special = {int(token) for token in self._tokenizer.all_special_ids}
        special.update(int(token) for token in self._tokenizer.added_tokens_decoder)
        stops = {token for token in turn_end if token in special}
        if self._tokenizer.eos_token_id is not None:
            stops.add(int(self._tokenizer.eos_token_id))
        return sorted(stops)


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches of like length, each at most `budget` padded tokens (or one item)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda at: (lengths[at], at)):
        if batch and lengths[index] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch

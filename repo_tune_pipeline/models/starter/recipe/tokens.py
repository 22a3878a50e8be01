"""Corpus and examples as arrays of token ids, in blocks of the model's context."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from repo_tune_pipeline.artifacts import write_file
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.models.starter.recipe.corpus import Document
from repo_tune_pipeline.models.starter.recipe.tokenizer import CONTEXT, END_OF_TEXT
from repo_tune_pipeline.prompting import encode_example
from repo_tune_pipeline.records import SftExample

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PROMPT_WEIGHT = 0.4
"""How much a prompt's token counts in the loss beside an answer's."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Rows of CONTEXT + 1 token ids, and each token's weight as a target; `bytes` of the text
    whose tokens have weight 1."""

    tokens: Array
    weights: Array
    bytes: int


def plain_blocks(tokenizer: Tokenizer, documents: Sequence[Document]) -> Blocks:
    """Documents in the order of a hash, one after the other, each ended by <|endoftext|>.

    Neighbouring rows share one token: a row's first is context only.
    """
    end = int(tokenizer.token_to_id(END_OF_TEXT) or 0)
    # A control token's name in a document is text.
    tokenizer.encode_special_tokens = True
    ids = [end]
    size = 0
    for texts in _groups(sorted(documents, key=_order), 256):
        size += sum(len(each.text.encode()) for each in texts)
        for encoded in tokenizer.encode_batch([each.text for each in texts]):
            ids.extend(encoded.ids)
            ids.append(end)
    count = -(-(len(ids) - 1) // CONTEXT)
    flat = np.full(count * CONTEXT + 1, end, dtype=np.uint16)
    flat[: len(ids)] = ids
    rows = np.lib.stride_tricks.sliding_window_view(flat, CONTEXT + 1)[::CONTEXT].copy()
    return Blocks(rows, np.ones(rows.shape, dtype=np.float16), size)


def example_blocks(tokenizer: Any, examples: Iterable[SftExample]) -> Blocks:
    """Whole examples, as many as fit into a row; what is too long for one is left out."""
    end = int(tokenizer.convert_tokens_to_ids(END_OF_TEXT))
    tokens: list[list[float]] = []
    weights: list[list[float]] = []
    row, weight = [end], [0.0]
    size = 0
    for each in examples:
        encoded = encode_example(tokenizer, each.instruction, each.input, each.output)
        length = len(encoded.prompt) + len(encoded.answer)
        if length > CONTEXT:
            continue
        if len(row) + length > CONTEXT + 1:
            tokens.append(_padded(row, end))
            weights.append(_padded(weight, 0.0))
            row, weight = [end], [0.0]
        row += [*encoded.prompt, *encoded.answer, end]
        # The first token of a prompt and the end between two examples are nobody's to predict.
        weight += [0.0, *[PROMPT_WEIGHT] * (len(encoded.prompt) - 1)]
        weight += [*[1.0] * len(encoded.answer), 0.0]
        size += len(each.output.encode())
    tokens.append(_padded(row, end))
    weights.append(_padded(weight, 0.0))
    return Blocks(np.array(tokens, dtype=np.uint16), np.array(weights, dtype=np.float16), size)


def save_blocks(path: Path, blocks: Blocks) -> None:
    """An `.npz` file."""
    stream = io.BytesIO()
    np.savez(stream, tokens=blocks.tokens, weights=blocks.weights, bytes=blocks.bytes)
    write_file(path, stream.getvalue())


def load_blocks(path: Path) -> Blocks:
    """What `save_blocks` wrote.

    Raises:
        StorageError: the file is missing.
    """
    if not path.is_file():
        raise StorageError(f"There is no {path}.", "Run the stages before this one first.")
    with np.load(path) as stored:
        return Blocks(stored["tokens"], stored["weights"], int(stored["bytes"]))


def _padded(values: Sequence[float], filling: float) -> list[float]:
    cut = list(values[: CONTEXT + 1])
    return cut + [filling] * (CONTEXT + 1 - len(cut))


def _order(document: Document) -> bytes:
    key = f"order:{document.distribution}/{document.path}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _groups(documents: Sequence[Document], size: int) -> Iterator[Sequence[Document]]:
    for start in range(0, len(documents), size):
        yield documents[start : start + size]

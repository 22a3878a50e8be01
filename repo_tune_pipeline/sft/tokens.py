"""How many tokens a text has for a base model, counted only where its length leaves a doubt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

import repo_tune_pipeline
from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.settings import STARTER
from repo_tune_pipeline.sft.token_bound import byte_bound

TOKENIZER_FILE = "tokenizer.json"

_SLICE = 256


class TokenCounter:
    """Counts tokens as `prompting` encodes an example's text: control tokens in it are text.

    `encoded` says how many texts were really encoded, those whose length didn't decide.
    """

    def __init__(self, definition: str) -> None:
        """`definition` is the content of a tokenizer.json."""
        self._tokenizer = Tokenizer.from_str(definition)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self._bound = byte_bound(json.loads(definition))
        self.encoded = 0

    @classmethod
    def load(cls, file: Path) -> TokenCounter:
        """The counter of a tokenizer.json.

        Raises:
            BaseModelError: the file can't be read, or isn't one.
        """
        try:
            return cls(file.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises plain Exception
            raise BaseModelError(
                f"{file} isn't a tokenizer that can be read: {type(error).__name__}.",
                "Fetch or copy the base model again.",
            ) from None

    def count(self, text: str) -> int:
        """How many tokens `text` has, without any that a template adds."""
        return self._counts([text])[0]

    def over(self, texts: Sequence[str], limit: int) -> list[bool]:
        """Of each text, whether it has more than `limit` tokens."""
        bound = self._bound
        found = [bound is None or bound.most(text) > limit for text in texts]
        doubtful = [number for number, doubt in enumerate(found) if doubt]
        counts = self._counts([texts[number] for number in doubtful])
        for number, count in zip(doubtful, counts, strict=True):
            found[number] = count > limit
        return found

    def _counts(self, texts: Sequence[str]) -> list[int]:
        """In slices: an encoding takes many times the memory of its text."""
        self.encoded += len(texts)
        return [
            len(encoding)
            for start in range(0, len(texts), _SLICE)
            for encoding in self._tokenizer.encode_batch_fast(
                texts[start : start + _SLICE], add_special_tokens=False
            )
        ]


def tokenizer_file(base_model: str, *, revision: str = "") -> Path | None:
    """A base model's tokenizer.json on this machine; None where it isn't there.

    Args:
        base_model: `starter`, a folder, or a hub id, which is looked up in the local cache.
        revision: of a hub model; empty means `main`.
    """
    if base_model == STARTER:
        folder = Path(repo_tune_pipeline.__file__).parent / "models" / "starter"
    else:
        folder = Path(base_model).expanduser()
    if (folder / TOKENIZER_FILE).is_file():
        return folder / TOKENIZER_FILE
    if folder.is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(base_model, TOKENIZER_FILE, revision=revision or None)
    except ValueError:  # a name that no hub model can have
        return None
    return Path(found) if isinstance(found, str) else None

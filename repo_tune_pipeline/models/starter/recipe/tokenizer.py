"""A byte-level BPE for code: trained on the corpus, saved as a Hugging Face fast tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from repo_tune_pipeline.artifacts import read_json, write_file, write_json
from repo_tune_pipeline.models.starter import FOLDER
from repo_tune_pipeline.models.starter.recipe.corpus import Document

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCABULARY = 8192
CONTEXT = 1024
END_OF_TEXT, TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""ChatML without any default system prompt."""

# A word with the one sign or space before it; single digits; runs of signs; a line's end together
# with the next line's indentation; other runs of spaces.
_PIECES = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+[ \t]*|[ \t]+(?!\S)|\s+"

_MODULE = FOLDER / "tokenization_starter.py"
_AUTO_MAP = {"AutoTokenizer": [None, f"{_MODULE.stem}.StarterTokenizer"]}


def train_tokenizer(documents: Iterable[Document], vocabulary: int = VOCABULARY) -> Tokenizer:
    """Train on the documents that aren't held out, at most 60 MB of them."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT, TURN, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(documents), trainer)
    return tokenizer


def _sample(documents: Iterable[Document], limit: int = 60_000_000) -> Iterator[str]:
    kept = [each for each in documents if not each.heldout]
    total = sum(len(each.text) for each in kept)
    stride = max(1, round(total / limit))
    yield from (each.text for each in kept[::stride])


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """`tokenizer.json`, `tokenizer_config.json` and the chat template, for `AutoTokenizer`."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TURN,
        pad_token=END_OF_TEXT,
        additional_special_tokens=[TURN],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="right",
    )
    fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)
    config = read_json(folder / "tokenizer_config.json")
    write_json(folder / "tokenizer_config.json", {**config, "auto_map": _AUTO_MAP})
    write_file(folder / _MODULE.name, _MODULE.read_bytes())

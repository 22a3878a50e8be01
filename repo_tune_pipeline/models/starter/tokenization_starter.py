# ruff: noqa: TID253
"""Says to `AutoTokenizer` that the starter's tokenizer is just what its `tokenizer.json` says.

For a Qwen2 model transformers 5 builds Qwen2's own tokenizer from the vocabulary, which splits
text in another way, whatever class the folder names; unless the folder names a class of its own
(`auto_map` in `tokenizer_config.json`). Then, without `trust_remote_code`, `tokenizer.json` is
read as it stands and this file isn't run; with it, this class does the same.
"""

from transformers import PreTrainedTokenizerFast


class StarterTokenizer(PreTrainedTokenizerFast):
    """A fast tokenizer, unchanged."""

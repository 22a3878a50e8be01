"""Builds, in a second or two, a model of about a million parameters with its tokenizer.

Random weights, real formats: enough to load, train in 4 bits and generate with, without a network.
"""

from collections.abc import Sequence
from pathlib import Path

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_CHAT = {
    "eos_token": "<|im_end|>",
    "pad_token": "<|endoftext|>",
    "additional_special_tokens": ["<|im_start|>"],
}


ARCHITECTURES = ("qwen2", "llama", "gpt2", "gpt_bigcode")


def build_small_model(
    folder: Path,
    *,
    architecture: str = "qwen2",
    seed: int = 0,
    vocabulary: int = 0,
    more_tokens: Sequence[str] = (),
) -> Path:
    """A loadable base model in `folder`: safetensors, config, tokenizer; the same for a seed.

    `vocabulary` is at least the tokenizer's; what is beyond costs memory and is never used.
    `more_tokens` are special ones, such as those for filling in the middle.

    The GPT-2 kinds come as such models do: without a chat template and without a padding token.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    is_gpt = architecture.startswith("gpt")
    tokenizer = build_small_tokenizer(folder, is_chat=not is_gpt, more_tokens=more_tokens)
    torch.manual_seed(seed)
    tokens = {
        "vocab_size": max(vocabulary, len(tokenizer)),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "tie_word_embeddings": True,
    }
    shape = {
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
    }
    if is_gpt:
        shape = {"n_embd": 128, "n_layer": 4, "n_head": 4, "n_positions": 1024}
    config = AutoConfig.for_model(architecture, **shape, **tokens)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def build_small_tokenizer(folder: Path, *, is_chat: bool = True, more_tokens: Sequence[str] = ()):
    """A byte-level BPE of about a thousand tokens, trained on this test suite's own source."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=[*SPECIAL_TOKENS, *more_tokens],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([Path(__file__).read_text(encoding="utf-8")], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=1024,
        **(_CHAT if is_chat else {"eos_token": "<|endoftext|>"}),
    )
    if is_chat:
        fast.chat_template = CHATML
    fast.save_pretrained(folder)
    return fast

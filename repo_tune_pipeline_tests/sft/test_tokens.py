"""Tokens are counted exactly, and only where a text's length leaves a doubt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.sft.tokens import TokenCounter, tokenizer_file

ROOT = Path(__file__).parents[2]
CODE = "def keep(values: list[int]) -> list[int]:\n    return [value for value in values]\n" * 3
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
END = "<|im_end|>"


def _byte_level(*steps: Any, form: Any = None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if form is not None:
        tokenizer.normalizer = form
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(steps))
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=alphabet, special_tokens=[END], show_progress=False
    )
    tokenizer.train_from_iterator([CODE], trainer)
    return tokenizer


def _gpt2(*, prefix: bool = False, form: Any = None) -> Tokenizer:
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=False)
    cut = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    return _byte_level(*([level] if prefix else [cut, level]), form=form)


def _with_added(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.add_tokens(["<extra>", "@"])
    return tokenizer


def _llama(*, mark: str = "▁", metaspace: bool = False) -> Tokenizer:
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    merges = [("▁", "d"), ("e", "f"), ("r", "e"), ("▁d", "ef")]
    known = ["<unk>", END, *fallback, *"abcdefghijklmnopqrstuvwxyz():\n", "é"]
    known += [mark, *({"▁", *("".join(pair) for pair in merges)} if mark == "▁" else ())]
    model = models.BPE(
        vocab={token: number for number, token in enumerate(dict.fromkeys(known))},
        merges=merges if mark == "▁" else [],
        unk_token="<unk>",
        byte_fallback=True,
        fuse_unk=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens([END])
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        marking = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        tokenizer.normalizer = normalizers.Sequence(marking)
    return tokenizer


def _word_piece() -> Tokenizer:
    pieces = ["[UNK]", *"abcdefghijklmnopqrstuvwxyz()[]:", *(f"##{one}" for one in "abcdefgh")]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _affixed() -> Tokenizer:
    """Its symbols are longer than its characters: two of `<0x..>` for one of `z`."""
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    vocab = {token: number for number, token in enumerate([*fallback, "a", "##a"])}
    model = models.BPE(vocab=vocab, merges=[], byte_fallback=True, continuing_subword_prefix="##")
    return Tokenizer(model)


BOUNDED = {
    "gpt2": _gpt2,
    "gpt2 with a prefix": lambda: _gpt2(prefix=True),
    "gpt2 with added tokens": lambda: _with_added(_gpt2()),
    "gpt2 in NFC": lambda: _gpt2(form=normalizers.NFC()),
    "gpt2 in NFKD": lambda: _gpt2(form=normalizers.NFKD()),
    "llama": _llama,
    "llama with metaspace": lambda: _llama(metaspace=True),
}
UNBOUNDED = {
    "word piece": _word_piece,
    "affixed": _affixed,
    "gpt2 with a prefix and added tokens": lambda: _with_added(_gpt2(prefix=True)),
    "gpt2 with a prefix for each piece": lambda: _byte_level(
        pre_tokenizers.Whitespace(),
        pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
    ),
    "gpt2 with marked blanks": lambda: _gpt2(form=normalizers.Replace(" ", "▁")),
    "llama without its mark": lambda: _llama(mark="_"),
    "lower case": lambda: _gpt2(form=normalizers.Lowercase()),
}
STARTER = tokenizer_file("starter")


@cache
def _definition(name: str) -> str:
    if name == "starter":
        assert STARTER is not None
        return STARTER.read_text(encoding="utf-8")
    return ({**BOUNDED, **UNBOUNDED}[name])().to_str()


@cache
def _counter(name: str) -> TokenCounter:
    return TokenCounter(_definition(name))


@cache
def _reference(name: str) -> Tokenizer:
    tokenizer = Tokenizer.from_str(_definition(name))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _exact(name: str, text: str) -> int:
    return len(_reference(name).encode(text, add_special_tokens=False).ids)


PARTS = st.sampled_from(
    [
        *("def keep(", "values", "return", "    ", " ", "\n", "\t", "'s", "é", "e\u0301", "\u0958"),
        *(
            "\U0001d160",
            "\ufdfa",
            "\u0390",
            "\u0130",
            "👍🏽",
            "▁",
            END,
            "<extra>",
            "@",
            "a@a@a@",
            "加法",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PARTS, max_size=12).map("".join))


@pytest.mark.parametrize("name", ["starter", *BOUNDED, *UNBOUNDED])
@settings(deadline=None, max_examples=120)
@given(texts=st.lists(TEXTS, max_size=4), limit=st.integers(0, 60))
def test_what_is_over_a_limit_is_what_encoding_says(
    name: str, texts: list[str], limit: int
) -> None:
    counter = _counter(name)
    exact = [_exact(name, text) for text in texts]
    assert counter.over(texts, limit) == [count > limit for count in exact]
    assert [counter.count(text) for text in texts] == exact
    # At the very border a bound that is too low by one shows.
    for text, count in zip(texts, exact, strict=True):
        assert counter.over([text], count) == [False]
        assert count == 0 or counter.over([text], count - 1) == [True]


@pytest.mark.parametrize("name", ["starter", *BOUNDED])
def test_a_text_that_is_short_enough_in_bytes_is_not_encoded(name: str) -> None:
    counter = TokenCounter(_definition(name))
    texts = [CODE, "", "return", f"{END} is text"]
    most = len(CODE.encode()) + len("▁".encode())
    assert counter.over(texts, most) == [False] * 4
    assert counter.encoded == 0
    assert counter.over([CODE * 2, *texts], 5) == [
        _exact(name, text) > 5 for text in [CODE * 2, *texts]
    ]
    assert 0 < counter.encoded < 5


@pytest.mark.parametrize("name", UNBOUNDED)
def test_a_tokenizer_of_which_nothing_is_known_encodes_all(name: str) -> None:
    counter = TokenCounter(_definition(name))
    counter.over(["a", "b"], 1000)
    assert counter.encoded == 2


def test_control_tokens_count_as_the_text_that_they_are() -> None:
    assert _counter("starter").count(END) > 1


def test_truncation_and_padding_of_the_file_are_not_counted(tmp_path: Path) -> None:
    tokenizer = _gpt2()
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert TokenCounter.load(tmp_path / "tokenizer.json").count(CODE) == _exact("gpt2", CODE) > 50


@pytest.mark.parametrize("content", ["", "{}", '{"model": {}}', "\xff"])
def test_a_file_that_is_no_tokenizer_is_an_error_that_names_it(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BaseModelError, match=r"tokenizer\.json isn't a tokenizer"):
        TokenCounter.load(file)


def test_a_tokenizer_is_found_without_a_network(tmp_path: Path) -> None:
    assert STARTER == ROOT / "repo_tune_pipeline" / "models" / "starter" / "tokenizer.json"
    assert tokenizer_file(str(tmp_path)) is None
    (tmp_path / "tokenizer.json").write_text("{}")
    assert tokenizer_file(str(tmp_path)) == tmp_path / "tokenizer.json"
    for name in (str(tmp_path / "absent"), "a/b/c", "", "no such model"):
        assert tokenizer_file(name) is None


def test_a_hub_models_tokenizer_is_found_in_the_local_cache(tmp_path: Path) -> None:
    model = tmp_path / "hub" / "models--team--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("a" * 40)
    snapshot = model / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "tokenizer.json").write_text("{}")
    script = (
        "import json\n"
        "from repo_tune_pipeline.sft.tokens import tokenizer_file\n"
        "asked = [('team/model', ''), ('team/model', 'v2'), ('team/other', '')]\n"
        "found = [tokenizer_file(name, revision=revision) for name, revision in asked]\n"
        "print(json.dumps([str(file) for file in found]))\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(tmp_path / "hub")}
    out = subprocess.run(
        [sys.executable, "-c", script], env=environ, check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(out) == [str(snapshot / "tokenizer.json"), "None", "None"]

"""The shipped starter model: that it loads, that it learned, and that its recipe runs."""

from __future__ import annotations

import gzip
import json
import lzma
import math
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import UsageError
from repo_tune_pipeline.models.starter import FOLDER
from repo_tune_pipeline.models.starter.recipe.__main__ import main as run_recipe
from repo_tune_pipeline.models.starter.recipe.corpus import collect
from repo_tune_pipeline.models.starter.recipe.licenses import EVALUATION, normal_name
from repo_tune_pipeline.prompting import encode_example, encode_prompt

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SAMPLE = STDLIB / "unittest" / "async_case.py"
"""Held out of the corpus by the hash of its path, so it was never trained on."""
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> Iterator[Any]:
    import torch
    from transformers import AutoModelForCausalLM

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield AutoModelForCausalLM.from_pretrained(FOLDER).eval()
    torch.set_num_threads(threads)


def test_the_shipped_folder_is_small_and_says_what_it_is() -> None:
    shipped = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in shipped) <= 12_000_000
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for said in ("license: apache-2.0", "tokens seen", "bits per byte", "## Samples", "## Limits"):
        assert said in card


def test_its_corpus_holds_no_project_that_adapters_are_evaluated_on() -> None:
    corpus = json.loads((FOLDER / "corpus.json").read_text(encoding="utf-8"))
    rows = corpus["distributions"]
    assert {"cpython", "sympy"} <= {row[0] for row in rows}
    assert not EVALUATION & {normal_name(row[0]) for row in rows}
    for _, _, license_name, files, size, digest in rows:
        assert set(license_name.split(" AND ")) <= {"MIT", "BSD", "Apache-2.0", "PSF-2.0", "ISC"}
        assert files > 0
        assert size > 0
        assert len(digest) == 64


def test_it_loads_as_a_plain_hugging_face_model_that_answers_and_stops(
    model: Any, tokenizer: Any
) -> None:
    import torch

    assert model.config.model_type == "qwen2"
    assert 3_000_000 <= sum(p.numel() for p in model.parameters()) <= 5_000_000
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    prompt = encode_prompt(
        tokenizer,
        "Explain the following code from example/shop:",
        "def total(items):\n    return sum(item.price for item in items)",
    )
    made = model.generate(torch.tensor([prompt]), max_new_tokens=160)[0, len(prompt) :].tolist()
    answer = tokenizer.decode(made, skip_special_tokens=True)
    assert tokenizer.eos_token_id in made
    assert "is a function" in answer
    again = model.generate(torch.tensor([prompt]), max_new_tokens=160)[0, len(prompt) :].tolist()
    assert again == made


def test_auto_classes_split_text_as_the_model_learned_it(tokenizer: Any, tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    text = SAMPLE.read_text(encoding="utf-8")
    learned = Tokenizer.from_file(str(FOLDER / "tokenizer.json")).encode(text).ids
    tokenizer.save_pretrained(tmp_path)
    shutil.copy(FOLDER / "config.json", tmp_path)
    assert tokenizer(text).input_ids == learned
    assert AutoTokenizer.from_pretrained(tmp_path)(text).input_ids == learned


@given(text=st.text() | st.text(alphabet=" \t\n\r0a_(.e\u0301é\u4e2d"))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_from_its_tokens(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    assert tokenizer.decode(ids) == text


@given(parts=st.lists(st.sampled_from(CONTROL) | st.text(max_size=5), max_size=6))
@settings(max_examples=100, deadline=None)
def test_control_tokens_in_a_text_stay_text(tokenizer: Any, parts: list[str]) -> None:
    text = "".join(parts)
    encoded = encode_example(tokenizer, "Explain:", text, text)
    control = set(tokenizer.convert_tokens_to_ids(CONTROL))
    turns = [token for token in encoded.prompt if token in control]
    assert tokenizer.convert_ids_to_tokens(turns) == [
        "<|im_start|>",
        "<|im_end|>",
        "<|im_start|>",
    ]
    assert [token for token in encoded.answer if token in control] == [tokenizer.eos_token_id]
    assert tokenizer.decode(encoded.answer[:-1]) == text


def test_the_chat_template_adds_no_system_prompt(tokenizer: Any) -> None:
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Q"}], tokenize=False, add_generation_prompt=True
    )
    assert rendered == "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n"


def test_digits_are_single_tokens_and_indentation_is_one(tokenizer: Any) -> None:
    def pieces(text: str) -> list[str]:
        ids = tokenizer(text, add_special_tokens=False).input_ids
        return [tokenizer.decode([token]) for token in ids]

    assert pieces("x = 1024") == ["x", " =", " ", "1", "0", "2", "4"]
    for width in (1, 2, 4, 8, 12, 16, 20):
        assert pieces(f"a\n{' ' * width}b") == ["a", "\n" + " " * width, "b"]
        assert pieces(" " * width) == [" " * width]


def test_it_predicts_unseen_code_better_than_compressors_do(model: Any, tokenizer: Any) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    size = len(text.encode())
    learned = _model_bits(model, tokenizer, text) / size
    assert learned < _order_2_bits(text.encode(), _other_stdlib_code()) / size
    assert learned < 8 * len(gzip.compress(text.encode(), 9)) / size
    assert learned < 8 * len(lzma.compress(text.encode(), preset=9)) / size


def test_its_recipe_makes_a_folder_that_loads(tmp_path: Path, tokenizer: Any) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = tmp_path / "model"
    command = [sys.executable, "-m", "repo_tune_pipeline.models.starter.recipe"]
    command += ["--out", str(out), "--minutes", "0.05", "--threads", "2"]
    command += ["--only", "google-auth-oauthlib,mako,uritemplate"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert AutoModelForCausalLM.from_pretrained(out).config.vocab_size == 8192
    assert AutoTokenizer.from_pretrained(out).chat_template == tokenizer.chat_template
    assert "| plain source |" in (out / "README.md").read_text(encoding="utf-8")


def test_a_corpus_too_small_to_hold_a_file_out_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", str(tmp_path / "model"), "--only", "h11"]
    assert run_recipe([*arguments, "--stages", "corpus,tokenizer,tokens"]) == 1
    assert "too small" in capsys.readouterr().err


def test_the_recipe_replaces_nothing_that_isnt_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    status = run_recipe(["--out", str(tmp_path), "--stages", "export"])
    assert status == UsageError.exit_code
    assert "thesis.txt" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_corpus_is_the_same_each_time_and_has_no_copies() -> None:
    first, second = (collect(frozenset({"anyio", "h11", "mako"})) for _ in range(2))
    assert first == second
    assert len({document.text for document in first}) == len(first) > 20
    assert {document.distribution for document in first} <= {"anyio", "h11", "mako"}


def _model_bits(model: Any, tokenizer: Any, text: str) -> float:
    import torch

    ids = [tokenizer.pad_token_id, *tokenizer(text, add_special_tokens=False).input_ids]
    nats = 0.0
    for start in range(0, len(ids) - 1, 1024):
        window = torch.tensor([ids[start : start + 1025]])
        with torch.no_grad():
            scores = model(input_ids=window[:, :-1]).logits[0].log_softmax(-1)
        nats -= float(scores.gather(1, window[0, 1:, None]).sum())
    return nats / math.log(2)


def _order_2_bits(text: bytes, known: bytes) -> float:
    """Cost of `text` under counts of byte triples, which begin as those of `known` and go on."""
    pairs: Counter[bytes] = Counter()
    triples: Counter[bytes] = Counter()
    bits = 0.0
    whole = known + text
    for at in range(2, len(whole)):
        pair, triple = whole[at - 2 : at], whole[at - 2 : at + 1]
        if at >= len(known):
            bits -= math.log2((triples[triple] + 0.02) / (pairs[pair] + 0.02 * 256))
        pairs[pair] += 1
        triples[triple] += 1
    return bits


def _other_stdlib_code() -> bytes:
    names = ("argparse.py", "dataclasses.py", "inspect.py", "asyncio/base_events.py")
    files = [STDLIB / name for name in (*names, "unittest/case.py", "unittest/mock.py")]
    return b"".join(path.read_bytes() for path in files)

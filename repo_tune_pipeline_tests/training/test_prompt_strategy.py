import pytest

from repo_tune_pipeline.prompting import encode_example

CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")


@pytest.fixture(scope="module")
def tokenizer(small_model):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(small_model)


@pytest.fixture(scope="module")
def strategy(tokenizer):
    """Loaded as Axolotl loads it: by the name that configs/axolotl.yaml gives."""
    from axolotl.prompt_strategies import load
    from axolotl.utils.dict import DictDefault

    name = "repo_tune_pipeline.training.prompt_strategy"
    return load(name, tokenizer, DictDefault(sequence_len=1024), {"type": name})


def test_axolotl_learns_the_answer_as_prompting_encodes_it(strategy, tokenizer):
    example = {"instruction": "Explain.", "input": "def f(): ...", "output": "It does nothing."}
    encoded = encode_example(tokenizer, **example)
    row = strategy.tokenize_prompt(example)
    assert row["input_ids"] == encoded.prompt + encoded.answer
    assert row["labels"] == [-100] * len(encoded.prompt) + encoded.answer
    assert row["attention_mask"] == [1] * len(row["input_ids"])
    assert row["input_ids"][-1] == tokenizer.convert_tokens_to_ids("<|im_end|>")


def test_control_tokens_in_source_stay_text(strategy, tokenizer):
    text = "".join(CONTROL)
    row = strategy.tokenize_prompt({"instruction": text, "input": f"a{text}b", "output": text})
    ids = row["input_ids"]
    # Only the template's own: two turns begin and end, the answer is the second.
    assert [ids.count(tokenizer.convert_tokens_to_ids(token)) for token in CONTROL] == [2, 2, 0]
    assert tokenizer.decode(ids).count(text) == 3


def test_encoding_text_does_not_change_how_the_template_is_encoded_next(tokenizer):
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    encode_example(tokenizer, "<|im_end|>", "", "<|im_end|>")
    assert tokenizer("<|im_end|>", add_special_tokens=False).input_ids == [end]

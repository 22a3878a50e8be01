# ruff: noqa: TID253
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from repo_tune_pipeline.errors import BaseModelError, EvaluationError, UsageError
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.models.local import LocalModel
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline_tests.evaluation.worlds import (
    an_example,
    make_adapter,
    some_examples,
)
from repo_tune_pipeline_tests.small_models import build_small_model


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small_model(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return make_adapter(base.parent / "adapter", base, teach=some_examples(), steps=3)


@pytest.fixture(scope="module")
def adapted(base: Path, adapter: Path) -> LocalModel:
    return load_local_model(base, adapter)


def test_a_score_is_the_cross_entropy_of_answer_and_end_of_turn(base: Path) -> None:
    example = an_example(3)
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    prompt = (
        f"<|im_start|>user\n{example.instruction}\n\n{example.input}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    before = tokenizer(prompt, add_special_tokens=False).input_ids
    whole = tokenizer(f"{prompt}{example.output}<|im_end|>", add_special_tokens=False).input_ids
    assert whole[: len(before)] == before
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([whole])).logits[0, len(before) - 1 : -1]
    wanted = torch.nn.functional.cross_entropy(
        logits, torch.tensor(whole[len(before) :]), reduction="sum"
    )

    [score] = load_local_model(base).score([example])

    assert score.tokens == len(whole) - len(before)
    assert score.nats == pytest.approx(wanted.item(), rel=1e-5)


def test_scores_and_answers_do_not_depend_on_their_batch(adapted: LocalModel) -> None:
    examples = [*some_examples(4), an_example(99, output="x", input="y" * 400)]
    prompts = [Prompt(example.instruction, example.input) for example in examples]

    together = adapted.score(examples), adapted.answer(prompts, max_tokens=4)

    for at, (example, prompt) in enumerate(zip(examples, prompts, strict=True)):
        [alone] = adapted.score([example])
        assert together[0][at].nats == pytest.approx(alone.nats, rel=1e-4)
        assert together[0][at].tokens == alone.tokens
        assert adapted.answer([prompt], max_tokens=4) == [together[1][at]]


def test_without_its_adapter_a_model_is_its_base(base: Path, adapted: LocalModel) -> None:
    examples = some_examples(4)

    off = [score.nats for score in adapted.without_adapter().score(examples)]

    assert off == pytest.approx([score.nats for score in load_local_model(base).score(examples)])
    assert off != pytest.approx([score.nats for score in adapted.score(examples)], rel=1e-3)


def test_merged_into_its_weights_an_adapter_says_the_same(base: Path, adapter: Path) -> None:
    adapted = load_local_model(base, adapter)
    examples = some_examples(4)
    prompts = [Prompt(one.instruction, one.input) for one in examples]
    scores = [score.nats for score in adapted.score(examples)]
    answers = adapted.answer(prompts, max_tokens=8)

    merged = adapted.merged()

    assert [score.nats for score in merged.score(examples)] == pytest.approx(scores, rel=1e-4)
    assert merged.answer(prompts, max_tokens=8) == answers
    assert merged.merged() is merged


def test_control_tokens_in_a_source_stay_text(adapted: LocalModel) -> None:
    example = an_example(1, input="<|im_end|>\n<|im_start|>user", output="print('<|im_end|>')")
    plain = adapted.encode(an_example(1, input="a", output="b"))
    end = plain.answer[-1]

    encoded = adapted.encode(example)

    assert encoded.answer.count(end) == 1
    assert encoded.prompt.count(end) == plain.prompt.count(end)


def test_an_answer_ends_within_its_limit_and_leaves_out_the_prompt(adapted: LocalModel) -> None:
    [answer] = adapted.answer([Prompt("Say something.")], max_tokens=5)

    assert answer.tokens <= 5
    assert answer.finished == (answer.tokens < 5)
    assert "Say something" not in answer.text


def test_a_question_without_room_for_its_answer_is_refused(adapted: LocalModel) -> None:
    with pytest.raises(UsageError, match=r"context of 1024"):
        adapted.answer([Prompt("word " * 2_000)], max_tokens=8)


def test_a_base_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match="nowhere"):
        load_local_model(tmp_path / "nowhere")


def test_a_broken_adapter_is_named(base: Path, adapter: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    (broken / "adapter_model.safetensors").write_bytes(b"\0" * 100)

    with pytest.raises(EvaluationError, match="broken"):
        load_local_model(base, broken)

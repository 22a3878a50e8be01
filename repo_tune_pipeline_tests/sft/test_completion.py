"""Completions: a cut loses nothing, and asks for what can be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.tasks.code_completion import MARKER, split_at
from repo_tune_pipeline_tests.sft.making import FUNCTION, QUEUE, made, python_chunks


def test_a_completion_puts_the_source_together_again() -> None:
    chunks = python_chunks(QUEUE + "\n\n" + FUNCTION.format(number=7))
    sources = {chunk.symbol: dedent(chunk.source) for chunk in chunks}
    starts = {chunk.symbol: chunk.start_line for chunk in chunks}
    examples = made(chunks, "code_completion")
    assert {example.meta.symbol for example in examples} >= {"Queue.hold", "Queue.drain"}
    for example in examples:
        source, meta = sources[example.meta.symbol], example.meta
        whole = (
            example.input.replace(f"{MARKER}\n", f"{example.output}\n")
            if MARKER in example.input
            else example.input + example.output
        )
        assert source.startswith(whole)
        lines = source.split("\n")[: meta.end_line - starts[meta.symbol] + 1]
        assert "\n".join(lines) == whole


def test_completions_grow_with_the_code_and_never_repeat_a_cut() -> None:
    body = "".join(f"    value_{n} = compute_part({n}, values)\n" for n in range(40))
    long = made(python_chunks(f"def total(values):\n{body}"), "code_completion")
    text = "def one(store):\n    found = load_value(store, limit)\n    return found.items\n"
    short = made(python_chunks(text), "code_completion")
    assert (len(short), len(long)) == (1, 6)
    assert len({example.output for example in long}) == 6


def test_no_more_is_asked_than_was_shown_before_it() -> None:
    body = "".join(f"    page.check(total_{n}, {n * 7})\n" for n in range(6))
    examples = made(python_chunks(f"def test_totals(page):\n{body}"), "code_completion")
    assert examples
    for example in examples:
        whole = "<<<MISSING>>>" in example.input
        assert whole or len(example.output.strip()) <= len(example.input)
    assert not made(python_chunks("def one(x):\n    y = load_value(x, st)\n"), "code_completion")


def test_a_gap_whose_surroundings_go_on_says_so() -> None:
    body = "".join(f"    value_{n} = compute_part({n}, values)\n" for n in range(90))
    examples = made(python_chunks(f"def total(values):\n{body}"), "code_completion")
    gaps = [example.input for example in examples if "<<<MISSING>>>" in example.input]
    assert gaps
    assert all(shown.endswith(("# …", "compute_part(89, values)")) for shown in gaps)
    assert any(shown.endswith("# …") for shown in gaps)


@pytest.mark.parametrize("rest", ["    return x\n", "    x.y()\n", "    pass\n"])
def test_a_trivial_rest_is_no_answer(rest: str) -> None:
    assert not made(python_chunks(f"def one(x):\n{rest}"), "code_completion")


@given(
    lines=st.lists(st.text(alphabet=" \tab\r'", max_size=12), min_size=1, max_size=12),
    data=st.data(),
)
def test_any_cut_at_a_line_rejoins_exactly(lines: list[str], data: st.DataObject) -> None:
    source = "\n".join(lines)
    line = data.draw(st.integers(0, len(lines) - 1))
    cut = sum(len(text) + 1 for text in lines[:line])
    prefix, rest = split_at(source, cut)
    assert prefix + rest == dedent(source)
    assert dedent(source).count("\n") == source.count("\n")

from __future__ import annotations

import base64
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import TASKS
from repo_tune_pipeline.sft.audit import audit
from repo_tune_pipeline.sft.prints import prints_of_many
from repo_tune_pipeline.sft.split import Side
from repo_tune_pipeline_tests.sft.corpora import (
    FILES,
    HALF,
    Example,
    alike_across,
    selected,
    split_of,
    words,
    written,
)


@st.composite
def corpora(draw: st.DrawFn) -> list[Example]:
    """Texts of their own words, and others with some of them: all, nearly all, or a part."""
    length = st.integers(0, 6) | st.integers(0, 160)
    lengths = draw(st.lists(length, min_size=2, max_size=6))
    texts = [words(seed, length) for seed, length in enumerate(lengths)]
    for clone in range(draw(st.integers(1, 10))):
        text = list(draw(st.sampled_from(texts)))
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(text)))
            text[at : at + 1] = draw(
                st.sampled_from([[], ["edited"], [";", "é\u2028"], ["\ud800"]])
            )
        begin, around = draw(st.integers(0, 60)), draw(st.sampled_from([0, 0, 30]))
        rest = text[begin:][: draw(st.sampled_from([49, 50, 51, 500]))]
        own = words(100 + clone, 2 * around)
        texts.append([*own[:around], *(rest if around else text), *own[around:]])
    examples: list[Example] = []
    for n, text in enumerate(texts):
        middle = draw(st.integers(0, len(text)))
        examples.append(
            Example(
                input=" ".join(text[:middle]),
                output="\n".join(text[middle:]),
                instruction=f"Example {n}.",
                task=draw(st.sampled_from(TASKS)),
                path=f"{draw(st.sampled_from(['src', '2020', '2021']))}/{n}.py",
            )
        )
    return examples


@settings(max_examples=80, deadline=None)
@given(corpora())
def test_every_leak_is_found_and_none_is_left_after_selection(examples: list[Example]) -> None:
    split = split_of(examples, HALF)
    as_made = {one.id: split.side(one.repo, one.path) for one in examples}
    near, shared = alike_across(examples, as_made, HALF.near_duplicate, window=43)
    selection = selected(examples)
    assert selection.sides.items() <= as_made.items()
    assert alike_across(examples, selection.sides, HALF.near_duplicate) == (set(), set())
    if not near | shared:
        assert not [why for why in selection.reasons.values() if why.startswith("shares_code")]
    with tempfile.TemporaryDirectory() as folder:
        near, shared = alike_across(examples, as_made, HALF.near_duplicate)
        bypassed = audit(written(Path(folder, "a"), examples, as_made), near_duplicate=0.8)
        assert bypassed.near_copies.count == len(near)
        assert bypassed.shared_windows.count == len(shared)
        assert {pair[0] for pair in bypassed.near_copies.first} <= near
        clean = audit(written(Path(folder, "b"), examples, selection.sides), near_duplicate=0.8)
        assert clean.clean
        assert sum(clean.examples.values()) == len(selection.sides)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.3, 0.95))
def test_pairs_at_any_threshold_are_found(seed: int, threshold: float) -> None:
    chance = random.Random(seed)
    text = words(seed, 80)
    edited = [["x" if chance.random() < 0.004 * n else word for word in text] for n in range(20)]
    parts = [text[: chance.randint(1, 80)] for _ in range(20)]
    examples = [Example(" ".join(one), path=f"{n}.py") for n, one in enumerate([*edited, *parts])]
    examples = list({one.code: one for one in examples}.values())
    wish = HALF.model_copy(update={"near_duplicate": threshold})
    split = split_of(examples, wish)
    sides = {one.id: split.side(one.repo, one.path) for one in examples}
    near, _ = alike_across(examples, sides, threshold)
    with tempfile.TemporaryDirectory() as folder:
        found = audit(written(Path(folder), examples, sides), near_duplicate=threshold)
    assert found.near_copies.count == len(near)
    assert alike_across(examples, selected(examples, wish).sides, threshold)[0] == set()


def test_a_planted_secret_and_a_file_on_two_sides_are_found(tmp_path: Path) -> None:
    secret = "gh" + "p_" + base64.b16encode(random.Random(3).randbytes(18)).decode()
    told = Example("def run():", f'    use("{secret}")', path="a.py")
    asked = Example("def stop():", instruction=f"Use {secret}.", path="b.py")
    clean = Example("def clean():", path="a.py", symbol="clean")
    examples = [told, asked, clean]
    sides: dict[str, Side] = {told.id: "train", asked.id: "recent", clean.id: "heldout"}
    found = audit(written(tmp_path, examples, sides), near_duplicate=0.8)
    assert found.secrets.count == 2
    assert found.secrets.first == [(asked.id,), (told.id,)]
    assert found.files_on_two_sides.first == [("acme/tools", "a.py")]
    assert not found.clean
    assert found.examples == dict.fromkeys(FILES.values(), 1)


@pytest.mark.parametrize("pair", [("f x", "f  x"), ("a \ud800 b", "a ? b"), ("é", "é")])
def test_even_tiny_copies_are_found(tmp_path: Path, pair: tuple[str, str]) -> None:
    examples = [Example(text, path=f"{n}.py") for n, text in enumerate(pair)]
    sides: dict[str, Side] = {examples[0].id: "train", examples[1].id: "heldout"}
    found = audit(written(tmp_path, examples, sides), near_duplicate=0.8)
    assert found.near_copies.count == 1
    code = [one.exact for one in prints_of_many([one.code for one in examples])]
    assert code[0] == code[1]


def test_a_crowd_of_look_alikes_on_both_sides_is_parted(tmp_path: Path) -> None:
    text = words(1, 45)
    examples = [
        Example(" ".join([*text, f"own{n}"]), task="change", path=f"{n}.py") for n in range(520)
    ]
    split = split_of(examples, HALF)
    sides = {one.id: split.side(one.repo, one.path) for one in examples}
    assert audit(written(tmp_path, examples, sides), near_duplicate=0.8).near_copies.count > 200
    selection = selected(examples)
    assert len(selection.sides) >= 200
    assert audit(written(tmp_path, examples, selection.sides), near_duplicate=0.8).clean


@pytest.mark.parametrize("line", [b"{", b"[]\n", b'{"instruction": ""}\n', b"\xff\n"])
def test_a_broken_file_is_named(tmp_path: Path, line: bytes) -> None:
    example = Example("x", path="a.py")
    written(tmp_path, [example], {example.id: "train"})
    with (tmp_path / "sft.jsonl").open("ab") as stream:
        stream.write(line)
    with pytest.raises(StorageError, match=r"sft\.jsonl line 2 isn't an example"):
        audit(tmp_path, near_duplicate=0.8)
    (tmp_path / "heldout.jsonl").unlink()
    with pytest.raises(StorageError, match=r"heldout\.jsonl can't be read"):
        audit(tmp_path, near_duplicate=0.8)

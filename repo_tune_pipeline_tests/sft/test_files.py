from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.errors import ConfigError, EmptyInputError, StorageError
from repo_tune_pipeline.records import Rejection
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft import (
    build_dataset,
    load_manifest,
    load_packs,
    read_examples,
    save_dataset,
    split_side,
)
from repo_tune_pipeline_tests.sft.making import library, python_chunks, section

ROOT = Path(__file__).parents[2]
DOMAINS = ROOT / "configs" / "domains"
SETTINGS = SftSettings(min_heldout_examples=1)
PACKS = load_packs(DOMAINS, SETTINGS.domains)
UPSTREAM = (Rejection("ingestion", "binary", "acme/tools", "logo.png"),)


def saved(folder: Path) -> Path:
    dataset = build_dataset(library(), settings=SETTINGS, packs=PACKS, upstream=UPSTREAM)
    return save_dataset(dataset, folder, settings=SETTINGS)


SCRIPT = """
import random, sys
from pathlib import Path
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft import build_dataset, load_packs, save_dataset
from repo_tune_pipeline_tests.sft.making import library
settings = SftSettings(min_heldout_examples=1)
chunks = [*library(), *library(20, "zeta/copies")]
random.shuffle(chunks)
packs = load_packs(Path(sys.argv[1]), settings.domains)
dataset = build_dataset(chunks, settings=settings, packs=packs)
print(save_dataset(dataset, Path("datasets").absolute(), settings=settings))
"""


def test_other_folders_hash_seeds_and_orders_give_the_same_bytes(tmp_path: Path) -> None:
    folders: list[Path] = []
    for seed in ("0", "1", "4711"):
        place = tmp_path / f"run {seed}"
        place.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", SCRIPT, str(DOMAINS)]
        out = subprocess.run(
            command, cwd=place, env=environment, check=True, capture_output=True, text=True
        ).stdout
        folders.append(Path(out.strip()))
    first = {file.name: file.read_bytes() for file in folders[0].iterdir()}
    assert set(first) == {
        *("sft.jsonl", "heldout.jsonl", "sft_readable.json", "rejects.jsonl", "manifest.json")
    }
    for other in folders[1:]:
        assert {file.name: file.read_bytes() for file in other.iterdir()} == first
        assert other.name == folders[0].name
    assert not any(str(tmp_path).encode() in content for content in first.values())


def test_latest_points_at_the_dataset_and_a_whole_one_is_not_written_again(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    before = (folder / "sft.jsonl").stat().st_ino
    assert saved(tmp_path) == folder
    assert (folder / "sft.jsonl").stat().st_ino == before
    assert (tmp_path / "latest").resolve() == folder.resolve()
    (folder / "heldout.jsonl").write_bytes(b"")
    saved(tmp_path)
    assert read_examples(folder / "heldout.jsonl")


def test_examples_read_back_as_they_were_built(tmp_path: Path) -> None:
    dataset = build_dataset(library(), settings=SETTINGS, packs=PACKS)
    folder = save_dataset(dataset, tmp_path, settings=SETTINGS)
    assert tuple(read_examples(folder / "sft.jsonl")) == dataset.train
    assert tuple(read_examples(folder / "heldout.jsonl")) == dataset.heldout
    row = json.loads((folder / "sft.jsonl").read_text().splitlines()[0])
    assert list(row) == ["instruction", "input", "output", "meta"]
    assert list(row["meta"]) == [
        *("id", "task", "repo", "commit", "path", "start_line", "end_line", "symbol"),
        *("language", "license", "origin", "chunk_id"),
    ]
    with pytest.raises(StorageError, match="line 1 isn't an example"):
        read_examples(folder / "manifest.json")


def test_the_manifest_counts_what_the_files_hold(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    manifest = load_manifest(folder)
    for name, side in (("sft.jsonl", "train"), ("heldout.jsonl", "heldout")):
        lines = (folder / name).read_bytes().count(b"\n")
        assert manifest["counts"][side]["examples"] == lines
        assert sum(manifest["counts"][side]["by_task"].values()) == lines
    assert manifest["repositories"] == {"acme/tools": "c" * 40}
    rejects = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert rejects[0]["stage"] == "ingestion"
    assert len(rejects) - 1 == sum(manifest["funnel"]["dropped"].values())


def test_the_readable_file_shows_lines_one_under_the_other(tmp_path: Path) -> None:
    content = json.loads((saved(tmp_path) / "sft_readable.json").read_text())
    assert list(content) == ["summary", "examples"]
    assert content["summary"]["all"]["examples"] == len(content["examples"])
    assert content["summary"]["funnel"]["kept"] == len(content["examples"])
    completions = [one for one in content["examples"] if one["task"] == "code_completion"]
    assert all(isinstance(one["input"], list) for one in completions)
    assert all("\n" not in line for one in completions for line in one["input"])


def test_odd_line_ends_and_lone_surrogates_keep_one_line_an_example(tmp_path: Path) -> None:
    doc = '"""Say some\u2028thing \x85odd\u2029 here\x0c today."""'
    odd = f'def odd(x):\n    {doc}\n    return say("\u2028", x)\n'
    (chunk,) = python_chunks(odd, path="odd.py")
    lone = section("Lone", "A lone \ud800 surrogate stands here.")
    dataset = build_dataset([chunk, lone, *library()], settings=SETTINGS, packs=PACKS)
    folder = save_dataset(dataset, tmp_path, settings=SETTINGS)
    text = (folder / "sft.jsonl").read_text() + (folder / "heldout.jsonl").read_text()
    lines = text.splitlines()
    assert len(lines) == dataset.funnel.kept
    rows = [json.loads(line) for line in lines]
    assert any("\u2028" in row["input"] for row in rows)
    assert any("lone ? surrogate" in row["output"] for row in rows)


@settings(max_examples=30, deadline=None)
@given(
    kept=st.sets(st.integers(0, 59), min_size=30),
    share=st.floats(0.1, 0.9),
)
def test_files_are_on_one_side_and_stay_there_when_others_come_and_go(
    kept: set[int], share: float
) -> None:
    wish = SETTINGS.model_copy(update={"heldout_share": share})
    chunks = library(60)
    some = [chunk for number, chunk in enumerate(chunks) if number in kept]
    sides: list[dict[str, str]] = []
    for subset in (chunks, some):
        dataset = build_dataset(subset, settings=wish, packs=())
        train = {example.meta.path for example in dataset.train}
        heldout = {example.meta.path for example in dataset.heldout}
        assert not train & heldout
        sides.append({**dict.fromkeys(train, "train"), **dict.fromkeys(heldout, "heldout")})
    assert sides[1].items() <= sides[0].items()
    assert all(split_side("acme/tools", path, share) == side for path, side in sides[0].items())


def test_about_the_asked_share_of_files_is_held_out() -> None:
    sides = [split_side("acme/tools", f"src/{number}.py", 0.2) for number in range(2000)]
    assert 330 < sides.count("heldout") < 470


def test_too_few_held_out_examples_are_an_error_with_counts_and_a_remedy() -> None:
    wish = SftSettings(min_heldout_examples=1_000)
    with pytest.raises(EmptyInputError, match=r"only \d+ are held out.*1000.*sft\.heldout_share"):
        build_dataset(library(), settings=wish, packs=PACKS)


def test_nothing_usable_is_an_error_that_prints_the_funnel() -> None:
    chunks = python_chunks("def f(x): return x\n")
    with pytest.raises(EmptyInputError, match=r"4 candidates seen, 0 kept.*no_cut_point 1"):
        build_dataset(chunks, settings=SETTINGS, packs=PACKS)
    with pytest.raises(EmptyInputError, match="0 candidates"):
        build_dataset([], settings=SETTINGS, packs=PACKS)


def test_a_task_that_is_not_made_yet_is_a_configuration_error() -> None:
    wish = SETTINGS.model_copy(update={"tasks": ("change",)})
    with pytest.raises(ConfigError, match=r"sft\.tasks.*change.*code_completion"):
        build_dataset(library(), settings=wish, packs=PACKS)


PACK = """
name: mine
description: A pack.
topics:
  - name: things
    title: things
    words: [thing]
    questions: ["How does {repo} do {topic}?"]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title:", "titel:", r"mine\.yaml.*"),
        ("description:", "about:", r"mine\.yaml"),
        ("words: [thing]", "words: [thing]\n    wrods: [x]", r"topics\.0\.wrods.*words"),
        ("words: [thing]", "words: [two words]", r"topics\.0\.words\.0"),
        ("{repo}", "{repository}", r"topics\.0\.questions.*\{repo\}"),
        ("name: mine", "name: other", r"mine\.yaml.*other"),
        ("topics:", "topics: [", r"isn't valid YAML"),
    ],
)
def test_a_wrong_pack_names_file_and_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PACK.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        load_packs(tmp_path, ["mine"])
    assert "mine.yaml" in str(caught.value)


def test_a_missing_pack_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PACK)
    assert load_packs(tmp_path, ["mine"])[0].topics[0].name == "things"
    with pytest.raises(ConfigError, match=r"yours.*Found there: mine"):
        load_packs(tmp_path, ["mine", "yours"])


def test_the_commit_and_lines_of_an_example_are_its_chunks() -> None:
    chunk = replace(library(1)[0], start_line=7, end_line=15, commit="d" * 40)
    dataset = build_dataset([chunk, *library(40, "zeta/tools")], settings=SETTINGS, packs=PACKS)
    made = [one for one in (*dataset.train, *dataset.heldout) if one.meta.repo == "acme/tools"]
    assert made
    assert {(one.meta.start_line, one.meta.end_line, one.meta.commit) for one in made} == {
        (7, 15, "d" * 40)
    }

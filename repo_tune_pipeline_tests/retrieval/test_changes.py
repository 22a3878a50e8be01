"""An index that changes where little changed, and serves the old version until the new one is."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.retrieval import Hit, build_index, index_summary, search
from repo_tune_pipeline_tests.retrieval.chunks import chunk, many, word

ROOT = Path(__file__).parents[2]
COUNT = 200


def places(hits: list[Hit]) -> set[tuple[str, str, str]]:
    return {(hit.repo, hit.symbol, hit.source) for hit in hits}


def test_a_few_changed_chunks_change_rows_and_no_more(tmp_path):
    chunks = many(COUNT)
    first = build_index(tmp_path, chunks)
    table = index_summary(tmp_path).table
    edited = chunk("load_part_7", "def load_part_7(): return 'edited'")
    added = chunk("brand_new", "def brand_new(): return 'novelty'")
    later = [*chunks[:7], edited, *chunks[8:-1], added]
    second = build_index(tmp_path, later)
    summary = index_summary(tmp_path)
    assert second != first
    assert (summary.table, summary.changed, summary.chunks) == (table, 4, COUNT)
    assert [hit.symbol for hit in search(tmp_path, "edited")] == ["load_part_7"]
    assert [hit.symbol for hit in search(tmp_path, "novelty")] == ["brand_new"]
    assert search(tmp_path, word(7)) == []
    assert search(tmp_path, word(COUNT - 1)) == []
    assert [hit.symbol for hit in search(tmp_path, word(8))] == ["load_part_8"]


def test_a_new_commit_of_the_same_code_changes_no_row(tmp_path):
    build_index(tmp_path, many(COUNT))
    build_index(tmp_path, many(COUNT, commit="d" * 40))
    summary = index_summary(tmp_path)
    assert summary.changed == 0
    assert search(tmp_path, word(5))[0].commit == "d" * 40


def test_much_changed_or_a_repository_removed_is_built_anew(tmp_path):
    build_index(tmp_path, [*many(COUNT), chunk("secretive", "def secretive(): ...", repo="a/b")])
    old = index_summary(tmp_path).table
    build_index(tmp_path, many(COUNT))
    assert index_summary(tmp_path).table != old
    assert not (tmp_path / old).exists()
    build_index(tmp_path, many(COUNT // 2))
    assert index_summary(tmp_path).changed == 0


@settings(max_examples=8)
@given(steps=st.lists(st.sets(st.integers(0, 59), min_size=50), min_size=2, max_size=4))
def test_whatever_way_it_came_about_it_finds_what_a_fresh_one_finds(tmp_path_factory, steps):
    folder, chunks = tmp_path_factory.mktemp("grown"), many(60)
    for numbers in steps:
        digest = build_index(folder, [chunks[number] for number in sorted(numbers)])
    fresh = tmp_path_factory.mktemp("fresh")
    assert build_index(fresh, [chunks[number] for number in sorted(steps[-1])]) == digest
    found = search(folder, "load part", limit=100)
    assert places(found) == places(search(fresh, "load part", limit=100))
    assert len(found) == len(steps[-1])


def test_readers_see_one_whole_version_while_it_changes(tmp_path):
    chunks = many(COUNT)
    build_index(tmp_path, chunks)
    wrong: list[int] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            found = len(search(tmp_path, "load part", limit=2 * COUNT))
            if found != COUNT:
                wrong.append(found)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(6):
                edited = chunk(f"load_part_{number}", f"def load_part_{number}(): return {number}")
                chunks = [*chunks[:number], edited, *chunks[number + 1 :]]
                build_index(tmp_path, chunks)
        finally:
            over.set()
        for reader in readers:
            reader.result()
    assert wrong == []
    assert index_summary(tmp_path).changed == 12


@pytest.mark.parametrize("after_seconds", [0.0, 0.1, 0.3])
def test_a_change_that_was_killed_is_undone_by_the_next(tmp_path, after_seconds):
    build_index(tmp_path, many(4_000))
    program = (
        "import sys; from pathlib import Path\n"
        "from repo_tune_pipeline_tests.retrieval.chunks import chunk, many\n"
        "from repo_tune_pipeline.retrieval import build_index\n"
        "import lancedb\n"
        "print('ready', flush=True)\n"
        "new = [chunk(f'halfway_{n}', f'def halfway_{n}(): ...') for n in range(300)]\n"
        "build_index(Path(sys.argv[1]), [*many(4_000), *new])\n"
    )
    changer = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert changer.stdout is not None
    changer.stdout.readline()
    versions = next(tmp_path.glob("*/chunks.lance/_versions"))
    before = len(list(versions.iterdir()))
    while len(list(versions.iterdir())) == before and changer.poll() is None:
        time.sleep(0.002)
    time.sleep(after_seconds)
    os.killpg(changer.pid, signal.SIGKILL)
    changer.wait()
    expected = 4_300 if index_summary(tmp_path).chunks == 4_300 else 4_000
    assert len(search(tmp_path, "load part halfway", limit=5_000)) == expected
    build_index(tmp_path, [*many(4_000), chunk("newer", "def newer(): ...")])
    assert search(tmp_path, "halfway") == []
    assert [hit.symbol for hit in search(tmp_path, "newer")] == ["newer"]

"""The stage over what real chunking gives for real text: this package's own."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from pathlib import Path

import pytest

from repo_tune_pipeline.chunking import Chunked, chunk_snapshot
from repo_tune_pipeline.records import SftExample, Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings, SftSettings
from repo_tune_pipeline.sft import Dataset, build_dataset, load_packs
from repo_tune_pipeline.sft.code import dedent

ROOT = Path(__file__).parents[2]
SETTINGS = SftSettings(min_heldout_examples=1, heldout_share=0.3)
RUST = """/// Takes a lock on the store, waiting at most `seconds`.
///
/// # Errors
/// When somebody else holds it for longer.
#[must_use]
pub fn lock(store: &Store, seconds: u64) -> Result<Guard, Busy> {
    let deadline = clock::now() + seconds;
    while !store.try_lock() {
        wait_until(deadline)?;
    }
    Ok(Guard::new(store))
}
"""
TYPESCRIPT = """/** Sends one message and waits for the answer. */
export async function send(message: string, retries = 3): Promise<Answer> {
  const socket = await connect(retries);
  if (!socket.open) {
    throw new ClosedError(message);
  }
  return socket.ask(message);
}

test("sends `hello` once", () => {
  expect(send("hello")).toBe(once);
});
"""
MARKDOWN = """# Tools

## Installing

Clone the repository, then run `make install`.

```sh
# not a heading
make install
```
"""


def source_file(path: str, language: str, text: str) -> SourceFile:
    blob = hashlib.sha1(text.encode()).hexdigest()
    return SourceFile(path, blob, len(text), language, "Apache-2.0", text)


@pytest.fixture(scope="module")
def chunked() -> Chunked:
    paths = sorted((ROOT / "repo_tune_pipeline" / "sft").rglob("*.py"))
    files = [source_file(str(path.relative_to(ROOT)), "Python", path.read_text()) for path in paths]
    files += [source_file("lock.rs", "Rust", RUST), source_file("s.ts", "TypeScript", TYPESCRIPT)]
    files += [source_file("README.md", "Markdown", MARKDOWN)]
    snapshot = Snapshot("acme/tools", "c" * 40, "acme", "", tuple(files), ())
    return chunk_snapshot(snapshot, ChunkingSettings())


@pytest.fixture(scope="module")
def dataset(chunked: Chunked) -> Dataset:
    packs = load_packs(ROOT / "configs" / "domains", SETTINGS.domains)
    return build_dataset(
        chunked.chunks, settings=SETTINGS, packs=packs, upstream=chunked.rejections
    )


def of_task(dataset: Dataset, task: str) -> list[SftExample]:
    return [one for one in (*dataset.train, *dataset.heldout) if one.meta.task == task]


def test_every_kind_is_made_and_every_candidate_counted(chunked: Chunked, dataset: Dataset) -> None:
    made = Counter(one.meta.task for one in (*dataset.train, *dataset.heldout))
    assert set(made) == set(SETTINGS.tasks)
    sections = sum(chunk.kind == "section" for chunk in chunked.chunks)
    assert dataset.funnel.seen == 4 * (len(chunked.chunks) - sections) + sections
    assert dataset.funnel.kept == made.total()


def test_completions_rejoin_to_the_chunk(chunked: Chunked, dataset: Dataset) -> None:
    sources = {chunk.chunk_id: dedent(chunk.source) for chunk in chunked.chunks}
    completions = of_task(dataset, "code_completion")
    assert completions
    assert all(one.input + one.output == sources[one.meta.chunk_id] for one in completions)


def test_no_docs_are_left_in_what_is_to_be_documented(dataset: Dataset) -> None:
    documented = of_task(dataset, "documentation")
    assert {one.meta.language for one in documented} == {"Python", "Rust", "TypeScript"}
    for one in documented:
        assert one.output.split("\n")[0] not in one.input
        assert one.meta.language != "Python" or ast.parse(one.input)


def test_other_languages_are_explained_in_their_own_terms(dataset: Dataset) -> None:
    told = {one.meta.symbol: one for one in of_task(dataset, "code_explanation")}
    assert told["lock"].output == (
        "`lock` is a function in `lock.rs`. It takes a lock on the store, waiting at most "
        "`seconds`. It takes `store` and `seconds`. It calls `clock::now`, `store.try_lock`, "
        "`wait_until` and `Guard::new`. It returns `Result<Guard, Busy>`."
    )
    assert told["lock"].input.startswith("#[must_use]\npub fn lock")
    assert told["send"].output == (
        "`send` is a function in `s.ts`. It sends one message and waits for the answer. It takes "
        "`message` and `retries`. It calls `connect` and `socket.ask`. It returns "
        "`Promise<Answer>`. It raises `ClosedError`."
    )
    assert told["sends `hello` once"].output.startswith("`sends 'hello' once` is a test in")


def test_a_document_answers_for_its_headings(dataset: Dataset) -> None:
    (one,) = (one for one in of_task(dataset, "domain") if one.meta.language == "Markdown")
    assert "Installing" in one.instruction
    assert "README.md" in one.instruction
    assert one.output == MARKDOWN.partition("## Installing")[2].strip()

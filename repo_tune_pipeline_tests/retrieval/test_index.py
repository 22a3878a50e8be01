from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.errors import EmptyInputError, StorageError
from repo_tune_pipeline.ingestion import ingest
from repo_tune_pipeline.records import CodeChunk
from repo_tune_pipeline.retrieval import Hit, build_index, index_summary, search
from repo_tune_pipeline.settings import ChunkingSettings, IngestionSettings
from repo_tune_pipeline_tests.retrieval.chunks import chunk

PACKAGE = Path(__file__).parents[2] / "repo_tune_pipeline"
# Put together here, so that no file of this repository holds one.
AWS_KEY = "AKIA" + "IOSFODNN7QWERTYU"


def symbols(hits: Iterable[Hit]) -> list[str]:
    return [hit.symbol for hit in hits]


def undocumented(documented: CodeChunk) -> CodeChunk:
    if documented.doc_span is None:
        return documented
    start, end = documented.doc_span
    return replace(documented, source=documented.source[:start] + documented.source[end:])


@pytest.fixture(scope="module")
def own_chunks(tmp_path_factory: pytest.TempPathFactory) -> list[CodeChunk]:
    """Functions of a part of this project, as the earlier stages make them."""
    snapshot = ingest(
        str(PACKAGE / "ingestion"),
        settings=IngestionSettings(),
        mirrors=tmp_path_factory.mktemp("mirrors"),
    )
    return list(chunk_snapshot(snapshot, ChunkingSettings()).chunks)


@pytest.fixture(scope="module")
def index(own_chunks: list[CodeChunk], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those functions without their docstrings, beside a few of other repositories."""
    # A path with what means something in a URL, which LanceDB takes paths for.
    folder = tmp_path_factory.mktemp("home") / "ä b%20#?" / "index"
    others = [
        chunk("parseHttpRequest", "function parseHttpRequest(raw) {}", language="JavaScript"),
        chunk("parse_http_request", "def parse_http_request(raw): ...", repo="it's/quoted"),
    ]
    build_index(folder, [*map(undocumented, own_chunks), *others])
    return folder


def test_functions_are_found_by_docstrings_that_the_index_has_never_seen(
    index: Path, own_chunks: list[CodeChunk]
) -> None:
    documented = [
        each
        for each in own_chunks
        if each.kind in ("function", "method") and len(each.docstring.split()) >= 5
    ]
    ranks: list[float] = []
    for each in documented:
        hits = search(index, each.docstring.splitlines()[0], limit=10)
        places = [(hit.path, hit.start_line) for hit in hits]
        place = (each.path, each.start_line)
        ranks.append(1 / (places.index(place) + 1) if place in places else 0)
    assert len(ranks) > 30
    assert sum(ranks) / len(ranks) > 0.35
    hits = search(index, "Run git to its end and return its output.", limit=3)
    assert "run_git" in [hit.symbol for hit in hits]


def test_a_hit_names_its_source_by_repository_commit_path_and_lines(
    index: Path, own_chunks: list[CodeChunk]
) -> None:
    wanted = next(each for each in own_chunks if each.symbol == "repo_name")
    hit = search(index, "repo_name", limit=1)[0]
    assert (hit.repo, hit.commit, hit.path) == (wanted.repo, wanted.commit, wanted.path)
    assert (hit.start_line, hit.end_line) == (wanted.start_line, wanted.end_line)
    assert hit.source == undocumented(wanted).source
    assert hit.score > 0


@pytest.mark.parametrize(
    "question",
    [
        "parseHttpRequest",
        "parse_http_request",
        "PARSE_HTTP_REQUEST",
        "how is an http request parsed",
    ],
)
def test_names_are_found_in_every_naming_style_and_by_their_parts(
    index: Path, question: str
) -> None:
    found = symbols(search(index, question, limit=2))
    assert sorted(found) == ["parseHttpRequest", "parse_http_request"]


def test_a_search_can_be_kept_to_one_repository_or_language(index: Path) -> None:
    question = "parse the http request"
    assert symbols(search(index, question, repo="it's/quoted")) == ["parse_http_request"]
    assert symbols(search(index, question, language="JavaScript")) == ["parseHttpRequest"]
    assert search(index, question, repo="it's/quoted", language="JavaScript") == []
    assert search(index, question, repo="' OR '1'='1") == []
    assert symbols(search(index, question, repo="acme/tools", path="pkg/")) == ["parseHttpRequest"]
    assert search(index, question, path="kg/") == []
    assert search(index, question, path="%") == []


def test_a_question_that_shares_no_word_finds_nothing(index: Path) -> None:
    assert search(index, "zygomorphic quokkas") == []
    assert search(index, "what is this and where?") == []
    assert search(index, "parse", limit=0) == []


@given(question=st.text(max_size=200), repo=st.text(max_size=20))
def test_any_text_may_be_asked_for(index: Path, question: str, repo: str) -> None:
    assert len(search(index, question, limit=3)) <= 3
    assert search(index, f"{question} parse", repo=f"{repo}'--") == []


def test_a_rebuild_replaces_what_was_there(tmp_path: Path) -> None:
    old, new = chunk("old_name", "def old_name(): ..."), chunk("new_name", "def new_name(): ...")
    first = build_index(tmp_path, [old])
    second = build_index(tmp_path, [new])
    assert symbols(search(tmp_path, "name of old and new")) == ["new_name"]
    assert index_summary(tmp_path).digest == second != first
    assert not holding(tmp_path, b"old_name")
    assert build_index(tmp_path, [old]) == first
    assert symbols(search(tmp_path, "name")) == ["old_name"]


def test_the_same_chunks_in_any_order_leave_the_index_as_it_is(tmp_path: Path) -> None:
    chunks = [chunk(f"name_{number}", f"def name_{number}(): ...") for number in range(40)]
    digest = build_index(tmp_path, chunks)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    hits = search(tmp_path, "name", limit=10)
    assert build_index(tmp_path, chunks[::-1]) == digest
    assert {path: path.stat().st_mtime_ns for path in files} == files
    elsewhere = tmp_path / "elsewhere"
    assert build_index(elsewhere, chunks[::-1]) == digest
    assert search(elsewhere, "name", limit=10) == hits


def test_a_chunk_with_a_secret_reaches_no_file_of_the_index(tmp_path: Path) -> None:
    leaky = f"def connect():\n    return client('{AWS_KEY}', unmistakable=True)"
    chunks = [chunk("connect", leaky), chunk("close", "def close(client): client.close()")]
    build_index(tmp_path, chunks)
    summary = index_summary(tmp_path)
    assert (summary.chunks, summary.secrets_left_out) == (1, 1)
    assert search(tmp_path, "unmistakable connect") == []
    for text in (AWS_KEY, AWS_KEY.lower(), "unmistak"):
        assert not holding(tmp_path, text.encode())
    assert holding(tmp_path, b"client.close()")


def test_an_interrupted_build_leaves_the_old_index_serving(tmp_path: Path) -> None:
    build_index(tmp_path, [chunk("steady", "def steady(): ...")])
    before = set(tmp_path.iterdir())
    program = (
        "import sys; from pathlib import Path\n"
        "from repo_tune_pipeline_tests.retrieval.chunks import chunk\n"
        "from repo_tune_pipeline.retrieval import build_index\n"
        "many = [chunk(f'name_{n}', f'interrupted {n} ' * 40) for n in range(20_000)]\n"
        "build_index(Path(sys.argv[1]), many)\n"
    )
    builder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], cwd=PACKAGE.parent, start_new_session=True
    )
    while not (left := set(tmp_path.iterdir()) - before) and builder.poll() is None:
        time.sleep(0.005)
    os.killpg(builder.pid, signal.SIGKILL)
    assert builder.wait() == -signal.SIGKILL
    assert left
    assert symbols(search(tmp_path, "steady interrupted")) == ["steady"]
    build_index(tmp_path, [chunk("newer", "def newer(): ...")])
    assert symbols(search(tmp_path, "steady newer")) == ["newer"]
    assert not any(path.exists() for path in left)


def test_what_is_missing_or_damaged_is_said_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match="repo-tune generate-data"):
        search(tmp_path, "anything")
    with pytest.raises(EmptyInputError, match="None of 0 chunks"):
        build_index(tmp_path, [])
    build_index(tmp_path, [chunk("steady", "def steady(): ...")])
    for file in tmp_path.rglob("*.lance"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.raises(StorageError, match="make it anew"):
        search(tmp_path, "steady")


def test_lancedb_is_loaded_only_when_an_index_is_used() -> None:
    program = "import repo_tune_pipeline.retrieval, sys; print('lancedb' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr


def holding(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]

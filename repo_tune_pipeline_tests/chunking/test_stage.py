import hashlib
import os
import re
import subprocess
import sys
import time
from importlib import resources

import pytest

from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, queries_of
from repo_tune_pipeline_tests.chunking import test_compiled_languages as compiled
from repo_tune_pipeline_tests.chunking import test_ecmascript as ecmascript
from repo_tune_pipeline_tests.chunking.helpers import assert_exact, cut
from repo_tune_pipeline_tests.chunking.test_markdown import README
from repo_tune_pipeline_tests.chunking.test_python import CART

SOURCES = {
    "README.md": README,
    "a/cart.py": CART,
    "a/cart_copy.py": CART,
    "add.ts": ecmascript.TYPESCRIPT,
    "app.tsx": ecmascript.TSX,
    "Box.java": compiled.JAVA,
    "run.js": ecmascript.JAVASCRIPT,
    "server.go": compiled.GO,
    "store.rs": compiled.RUST,
}


def digest_of_sources() -> str:
    return hashlib.sha256(repr(cut(SOURCES)).encode()).hexdigest()


def test_every_chunk_is_the_exact_slice_with_either_line_end() -> None:
    for end in ("\n", "\r\n"):
        sources = {path: text.replace("\n", end) for path, text in SOURCES.items()}
        chunked = cut(sources)
        assert len(chunked.chunks) == 59
        for chunk in chunked.chunks:
            assert_exact(chunk, sources[chunk.path])


def test_line_ends_change_nothing_but_the_source() -> None:
    plain = cut(SOURCES).chunks
    other = cut({path: text.replace("\n", "\r\n") for path, text in SOURCES.items()}).chunks
    for one, two in zip(plain, other, strict=True):
        assert one.docstring == two.docstring
        assert (one.symbol, one.signature, one.callees) == (two.symbol, two.signature, two.callees)
        assert len(one.cut_points) == len(two.cut_points)


def test_chunks_are_in_order_and_told_apart() -> None:
    chunked = cut(SOURCES)
    places = [(c.path, c.start_line, c.end_line, c.symbol) for c in chunked.chunks]
    assert places == sorted(places)
    assert len({chunk.chunk_id for chunk in chunked.chunks}) == len(chunked.chunks)
    assert all(re.fullmatch("[0-9a-f]{16}", chunk.chunk_id) for chunk in chunked.chunks)
    assert chunked.funnel.seen == len(chunked.chunks) + len(chunked.rejections)


def test_another_hash_seed_gives_the_same_digest() -> None:
    code = (
        "from repo_tune_pipeline_tests.chunking.test_stage import digest_of_sources;"
        "print(digest_of_sources())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.py", "(" * 100_000, "pathological"),
        ("a.py", "x = " + "[" * 100_000 + "]" * 100_000, "no_definitions"),
        ("a.py", "f()." * 50_000 + "g", "no_definitions"),
        ("a.js", "{" * 50_000, None),
        ("a.rs", "fn f(){" * 20_000, None),
        ("a.java", "class A{" + ";" * 50_000 + "}", None),
        ("a.go", "func f() {" + "if x {" * 20_000, None),
        ("a.md", "#" * 100_000 + "\n" + "> " * 100_000, "no_definitions"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_absurd_nesting_ends_soon_with_a_reason(path: str, text: str, reason: str | None) -> None:
    start = time.process_time()
    chunked = cut({path: text}, parse_timeout_seconds=1.0)
    assert time.process_time() - start < 5
    assert not chunked.chunks
    assert chunked.rejections
    assert reason is None or chunked.funnel.dropped == {reason: 1}


def test_a_parse_that_takes_too_long_is_given_up() -> None:
    text = "def f(a):\n    return g(a)\n" * 4_000
    assert cut({"a.py": text}, parse_timeout_seconds=0.0005).funnel.dropped == {"parse_timeout": 1}
    assert len(cut({"a.py": text}).chunks) == 4_000


def test_every_language_has_a_query_that_its_grammar_accepts() -> None:
    for language in CODE_LANGUAGES:
        assert queries_of(language).definitions.pattern_count > 0


def test_no_query_asks_a_tree_for_its_text() -> None:
    folder = resources.files("repo_tune_pipeline.chunking") / "queries"
    for file in folder.iterdir():
        for line in file.read_text(encoding="utf-8").splitlines():
            asked = re.findall(r"\(#(\S+)", line)
            assert {"called?", "not-called?"}.issuperset(asked), f"{file.name}: {line}"

import hashlib
import os
import re
import subprocess
import sys
import time
from importlib import resources

import pytest

from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES
from repo_tune_pipeline.chunking.patterns import query_of
from repo_tune_pipeline_tests.chunking import test_compiled_languages as compiled
from repo_tune_pipeline_tests.chunking import test_ecmascript as ecmascript
from repo_tune_pipeline_tests.chunking.helpers import (
    assert_exact,
    cut,
    cut_lines,
    documentation,
)
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
        assert query_of(language).rules


def test_no_query_asks_a_tree_for_its_text() -> None:
    folder = resources.files("repo_tune_pipeline.chunking") / "queries"
    for file in folder.iterdir():
        for line in file.read_text(encoding="utf-8").splitlines():
            asked = re.findall(r"\(#(\S+)", line)
            assert {"called?", "not-called?"}.issuperset(asked), f"{file.name}: {line}"


LICENCE = "Copyright 2024 Acme. All rights reserved."
HEADERS = {
    "a.py": f'# {LICENCE}\n\n"""Sums."""\nimport os\nLIMIT = 1\n\ndef f(x):\n    return x\n',
    "a.rs": f"// {LICENCE}\n\n//! Sums.\nuse std::fs;\n\n/// One.\nfn f() {{\n    g();\n}}\n",
    "a.go": f"// {LICENCE}\n\n// Sums.\npackage a\n\n// F does.\nfunc F() {{\n\tg()\n}}\n",
    "a.ts": f"/* {LICENCE} */\n\n/** Sums. */\nimport a from 'a';\n\nfunction f() {{\n  g();\n}}\n",
    "a.js": f"// {LICENCE}\n\n'use strict';\n// Sums.\n\nb();\n\nfunction f() {{\n  g()\n}}\n",
    "A.java": f"/*\n * {LICENCE}\n */\n\n// Sums.\npackage a;\n\nclass A {{\n  int x;\n}}\n",
}


@pytest.mark.parametrize("path", HEADERS)
def test_a_file_begins_with_what_documents_it_and_no_licence(path: str) -> None:
    header, *others = cut({path: HEADERS[path]}).chunks
    assert (header.kind, header.symbol, header.docstring) == ("module", path.split(".")[0], "Sums.")
    assert LICENCE not in header.source
    assert documentation(header).strip(' \n/*!"') == "Sums."
    assert header.end_line < others[0].start_line
    assert_exact(header, HEADERS[path])


def test_a_header_without_documentation_needs_some_code() -> None:
    short = "import os\n\ndef f(x):\n    return x\n"
    assert [chunk.kind for chunk in cut({"a.py": short}).chunks] == ["function"]
    header, _f = cut({"a.py": f"import a\nimport b\n{short}"}).chunks
    assert (header.kind, header.start_line, header.end_line) == ("module", 1, 3)
    assert cut_lines(header) == ["import b", "import os"]


@pytest.mark.parametrize(
    ("path", "text", "attributes"),
    [
        ("a.py", "@one\n@two(\n    1,\n)\ndef f():\n    return 1\n", ("@one", "@two( 1, )")),
        ("a.rs", "/// Doc.\n#[inline]\n#[a(b)] fn f() {\n    g();\n}\n", ("#[inline]", "#[a(b)]")),
        ("A.java", "@One\n@Two(x = 1) class A {\n  int x;\n}\n", ("@One", "@Two(x = 1)")),
        ("a.ts", "@One()\nexport class A {\n  x = 1;\n}\n", ("@One()",)),
        ("a.py", "class A:\n    @one\n    def f(self):\n        return 1\n", ()),
    ],
)
def test_attributes_belong_to_what_they_stand_above(
    path: str, text: str, attributes: tuple[str, ...]
) -> None:
    chunk = cut({path: text}).chunks[0]
    assert chunk.attributes == attributes
    assert not any(each in chunk.signature for each in attributes)


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (f"// {LICENCE}", ""),
        ("// Licensed under the Apache License, Version 2.0", ""),
        ("// For the full copyright and license information, view the LICENSE file.", ""),
        ("// const old = 1;\n// old.run();", ""),
        ("// if (x) {\n//   go();\n// }", ""),
        ("// ----------", ""),
        ("// Says whether a licence is valid.", "Says whether a licence is valid."),
        ("/** run(1); */", "run(1);"),
        ("// Goes; then stops.\n// See x.", "Goes; then stops.\nSee x."),
    ],
)
def test_neither_a_licence_nor_code_documents_anything(comment: str, said: str) -> None:
    text = "import a;\n\n" + comment + "\nfunction f() {\n  g();\n}\n"
    chunk = cut({"a.js": text}).chunks[-1]
    assert chunk.docstring == said
    assert (chunk.doc_span is None) == (not said)
    assert chunk.source.startswith(comment)


@pytest.mark.parametrize(
    ("path", "head", "text", "end"),
    [
        ("a.py", "def f():\n", '    a = """\n    b = 1\n' + "    c = 2\n" * 20 + '    """\n', ""),
        ("a.js", "function f() {\n", "  a(`\n  b();\n" + "  c();\n" * 30 + "  `);\n", "}\n"),
        ("a.go", "func f() {\n", "\ta(`\n\tb()\n" + "\tc()\n" * 45 + "\t`)\n", "}\n"),
    ],
)
def test_a_part_never_begins_inside_a_string(path: str, head: str, text: str, end: str) -> None:
    chunks = cut({path: head + text * 4 + end}, max_chunk_chars=300).chunks
    assert [chunk.part for chunk in chunks] == [
        (at, len(chunks)) for at in range(1, 1 + len(chunks))
    ]
    assert len(chunks) > 1
    first = text.split("\n")[0]
    assert all(chunk.source.startswith((head, first)) for chunk in chunks)
    assert "\n".join(chunk.source for chunk in chunks) + "\n" == head + text * 4 + end
    too_short = cut({path: head + text * 4 + end}, max_chunk_chars=200)
    assert too_short.funnel.dropped == {"too_long": 1}

import argparse
import ast
import contextlib
import dataclasses
import textwrap
import threading
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from repo_tune_pipeline_tests.chunking.helpers import (
    assert_exact,
    cut,
    cut_lines,
    cut_one,
    documentation,
    outline,
    reasons,
)

CART = '''"""Carts."""
from __future__ import annotations

import os.path, json as j
from decimal import (
    Decimal,  # exact
    ROUND_HALF_UP as HALF,
)
from . import tax


class Cart(Base):
    """Lines that a customer wants.

        indented
    again
    """
    limit = 10

    @property
    def total(self) -> Decimal:
        r"""Sum of all lines."""
        value = sum((line.price for line in self.lines), Decimal(0))
        if value > self.limit:
            self.warn("größer")
            value = tax.rates()["x"].apply(value)

        def rounded():
            return value.quantize(HALF)

        return rounded()

    async def add(
        self,
        item: str,  # its name
        count: int = 1,
    ) -> None:
        # why
        text = """
        not a statement = 1
        """
        await self.store(os.path.join(item, text)); self.lines.append(item)

    class Line:
        price: int

    @overload
    def get(self, x: int) -> int: ...

    def nothing(self): pass


def test_total():
    assert Cart().total == 0


class TestCart:
    def test_empty(self):
        assert not Cart()

    def setUp(self):
        self.cart = 1


if True:
    def tested(x):
        return [x
            for x in range(x)]
'''


def test_every_definition_outside_functions_is_a_chunk() -> None:
    assert outline(cut_one("cart.py", CART)) == [
        ("type", "Cart", 12, 50, "class Cart(Base)"),
        ("method", "Cart.total", 20, 31, "def total(self) -> Decimal"),
        (
            "method",
            "Cart.add",
            33,
            42,
            "async def add( self, item: str, count: int = 1, ) -> None",
        ),
        ("type", "Cart.Line", 44, 45, "class Line"),
        ("test", "test_total", 53, 54, "def test_total()"),
        ("type", "TestCart", 57, 62, "class TestCart"),
        ("test", "TestCart.test_empty", 58, 59, "def test_empty(self)"),
        ("method", "TestCart.setUp", 61, 62, "def setUp(self)"),
        ("function", "tested", 66, 68, "def tested(x)"),
    ]


def test_stubs_are_rejected_and_counted() -> None:
    chunked = cut({"cart.py": CART})
    assert reasons(chunked) == {"Cart.get": "trivial", "Cart.nothing": "trivial"}
    assert chunked.funnel.as_dict() == {"seen": 12, "kept": 10, "dropped": {"trivial": 2}}


def test_a_docstring_is_read_as_python_shows_it() -> None:
    chunks = cut_one("cart.py", CART)
    assert chunks["Cart"].docstring == "Lines that a customer wants.\n\n    indented\nagain"
    assert chunks["Cart.total"].docstring == "Sum of all lines."
    assert documentation(chunks["Cart.total"]) == '        r"""Sum of all lines."""\n'
    assert chunks["Cart.add"].docstring == ""
    assert chunks["Cart.add"].doc_span is None


def test_a_completion_may_begin_at_statements_only() -> None:
    chunks = cut_one("cart.py", CART)
    assert cut_lines(chunks["Cart.total"]) == [
        "value = sum((line.price for line in self.lines), Decimal(0))",
        "if value > self.limit:",
        'self.warn("größer")',
        'value = tax.rates()["x"].apply(value)',
        "def rounded():",
        "return value.quantize(HALF)",
        "return rounded()",
    ]
    assert cut_lines(chunks["Cart.add"])[0] == 'text = """'
    assert len(chunks["Cart.add"].cut_points) == 2
    assert cut_lines(chunks["tested"]) == ["return [x"]
    assert "@property" in cut_lines(chunks["Cart"])
    assert "def total(self) -> Decimal:" not in cut_lines(chunks["Cart"])


def test_calls_and_imports_are_named_as_written() -> None:
    chunks = cut_one("cart.py", CART)
    assert chunks["Cart.total"].callees == (
        "Decimal",
        "apply",
        "rounded",
        "self.warn",
        "sum",
        "tax.rates",
        "value.quantize",
    )
    assert chunks["Cart.add"].callees == ("os.path.join", "self.lines.append", "self.store")
    assert chunks["Cart"].imports == (
        ".tax",
        "decimal.Decimal",
        "decimal.ROUND_HALF_UP",
        "json",
        "os.path",
    )


def test_code_still_parses_when_its_docstring_is_taken_out() -> None:
    source = (
        'def one(): "doc"; return 1\n\n'
        'def two():\n    """doc"""  # why\n    return 2\n\n'
        "def three():\n    # first\n    '''doc\n    more'''\n\n    return 3\n\n"
        'def four():\n    """doc"""; return 4\n'
    )
    chunks = cut_one("docs.py", source)
    assert sorted(chunks) == ["four", "three", "two"]
    for chunk in chunks.values():
        start, end = chunk.doc_span or (0, 0)
        bare = chunk.source[:start] + chunk.source[end:]
        assert "doc" not in bare
        assert ast.get_docstring(ast.parse(bare).body[0]) is None


def test_only_plain_strings_are_docstrings() -> None:
    source = (
        "def a():\n    f'''x'''\n    b()\n\ndef c():\n    b'x'\n    b()\n\ndef d():\n    'x' + y\n"
    )
    assert [chunk.docstring for chunk in cut_one("a.py", source).values()] == ["", "", ""]


def test_a_long_class_is_rejected_and_its_methods_are_kept() -> None:
    methods = "".join(f"    def m{i}(self):\n        return {i}\n" for i in range(9))
    chunked = cut({"a.py": f"class Long:\n{methods}"}, max_chunk_chars=200)
    assert reasons(chunked) == {"Long": "too_long"}
    assert len(chunked.chunks) == 9


def test_broken_code_costs_only_the_definition_it_stands_in() -> None:
    source = "def good():\n    return 1\n\ndef bad(:\n    return = \n\ndef fine():\n    return 2\n"
    chunked = cut({"a.py": source})
    assert [chunk.symbol for chunk in chunked.chunks] == ["good", "fine"]
    assert "syntax_error" in chunked.funnel.dropped


def test_a_file_without_definitions_is_counted_once() -> None:
    chunked = cut({"a.py": "x = 1\n", "b.py": ""})
    assert chunked.funnel.as_dict() == {"seen": 2, "kept": 0, "dropped": {"no_definitions": 2}}


@pytest.mark.parametrize("module", [argparse, contextlib, dataclasses, threading, zipfile])
def test_real_code_is_read_as_python_reads_it(module: ModuleType) -> None:
    """A chunk may end later than Python says: with the comments that close its body."""
    text = Path(module.__file__ or "").read_text(encoding="utf-8")
    chunked = cut({"module.py": text})
    starts = {each.start_line for each in (*chunked.chunks, *chunked.rejections)}
    tree = ast.parse(text)
    assert {each.lineno for each in tree.body if isinstance(each, ast.ClassDef)} <= starts
    header, *chunks = chunked.chunks
    assert header.kind == "module"
    assert header.docstring == (ast.get_docstring(tree) or "").strip()
    for chunk in chunks:
        assert_exact(chunk, text)
        if chunk.part != (1, 1):
            continue
        node = ast.parse(textwrap.dedent(chunk.source)).body[0]
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        assert chunk.symbol.rsplit(".", 1)[-1] == node.name
        assert chunk.docstring == (ast.get_docstring(node) or "").strip()

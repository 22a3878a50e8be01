"""The languages that are cut into chunks: a row and a query file each.

A query file names what it finds by these captures:

========================  ======================================================================
``@function @method``     a definition; with ``@name`` and, where it has one, ``@body``
``@type @test``           likewise
``@module``               a namespace: its ``@name`` qualifies, and functions in it stay functions
``@owner``                an implementation block: its ``@name`` qualifies, functions are methods
``@receiver``             the type whose method a definition outside that type is
``@wrapper``              what encloses ``@wrapped``, a definition, and belongs to it
``@attribute``            an attribute or annotation, at a definition's head or above it
``@comment``              a comment
``@statements``           a block: a completion may begin on the first line of each child
``@callee``               the expression that is called
``@call``                 a call whose callee is all before its ``arguments``
``@import``               an import; the row's `imports` reads the names from its text
========================  ======================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tree_sitter import Language, Query
from tree_sitter_language_pack import SupportedLanguage, get_language

from repo_tune_pipeline.chunking import imports


@dataclass(frozen=True, slots=True)
class TestRule:
    """A function is a test if both its name and its head (attributes and signature) match."""

    name: re.Pattern[str]
    head: re.Pattern[str]

    def holds(self, name: str, head: str) -> bool:
        return self.name.search(name) is not None and self.head.search(head) is not None


@dataclass(frozen=True, slots=True)
class CodeLanguage:
    """What differs between languages, beside the query.

    Attributes:
        grammar: name of the grammar in tree-sitter-language-pack.
        query: name of the file under `queries/`, without its suffix.
        separator: what joins the parts of a qualified symbol.
        doc_in_body: the docstring is the body's first string, not the comment above.
        test: how a test is told from another function.
        imports: the module names in the text of one import.
    """

    grammar: SupportedLanguage
    query: str
    separator: str
    doc_in_body: bool
    test: TestRule
    imports: Callable[[str], list[str]]


_ANY = re.compile("")
_NEVER = re.compile(r"(?!)")
_ECMASCRIPT_TEST = TestRule(_NEVER, _NEVER)
"""Tests are calls there: the query captures them."""

CODE_LANGUAGES: dict[str, CodeLanguage] = {
    "Python": CodeLanguage(
        grammar="python",
        query="python",
        separator=".",
        doc_in_body=True,
        test=TestRule(re.compile(r"^test(?![a-z])"), _ANY),
        imports=imports.python_imports,
    ),
    "JavaScript": CodeLanguage(
        grammar="javascript",
        query="javascript",
        separator=".",
        doc_in_body=False,
        test=_ECMASCRIPT_TEST,
        imports=imports.quoted_import,
    ),
    "TypeScript": CodeLanguage(
        grammar="typescript",
        query="typescript",
        separator=".",
        doc_in_body=False,
        test=_ECMASCRIPT_TEST,
        imports=imports.quoted_import,
    ),
    "TSX": CodeLanguage(
        grammar="tsx",
        query="typescript",
        separator=".",
        doc_in_body=False,
        test=_ECMASCRIPT_TEST,
        imports=imports.quoted_import,
    ),
    "Rust": CodeLanguage(
        grammar="rust",
        query="rust",
        separator="::",
        doc_in_body=False,
        test=TestRule(_ANY, re.compile(r"#\[\s*(?:\w+::)*(?:rs)?test\b")),
        imports=imports.rust_imports,
    ),
    "Go": CodeLanguage(
        grammar="go",
        query="go",
        separator=".",
        doc_in_body=False,
        test=TestRule(re.compile(r"^(?:Test|Benchmark|Fuzz)"), re.compile(r"\btesting\.[TBF]\b")),
        imports=imports.quoted_import,
    ),
    "Java": CodeLanguage(
        grammar="java",
        query="java",
        separator=".",
        doc_in_body=False,
        test=TestRule(_ANY, re.compile(r"@(?:\w+\.)*\w*Test\b")),
        imports=imports.java_imports,
    ),
}


@cache
def grammar_of(language: str) -> Language:
    """The tree-sitter grammar of a row; it is carried by the package, nothing is downloaded."""
    return get_language(CODE_LANGUAGES[language].grammar)


@cache
def query_of(language: str) -> Query:
    """The compiled query of a row; compiling costs as much as parsing a long file."""
    file = resources.files("repo_tune_pipeline.chunking") / "queries"
    source = (file / f"{CODE_LANGUAGES[language].query}.scm").read_text(encoding="utf-8")
    return Query(grammar_of(language), source)

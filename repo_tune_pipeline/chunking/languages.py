"""The languages that are cut into chunks: a row and a query file each.

A query file names what it finds by these captures:

========================  ======================================================================
``@function @method``     a definition; with ``@name`` and, where it has one, ``@body``
``@type @test``           likewise
``@module``               a namespace: its ``@name`` qualifies, and functions in it stay functions
``@signature``            what heads the definition of its ``@name`` below it, where rows join
``@owner``                an implementation block: its ``@name`` qualifies, functions are methods
``@receiver``             the type whose method a definition outside that type is
``@wrapper``              what encloses ``@wrapped``, a definition, and belongs to it
``@attribute``            an attribute or annotation, at a definition's head or above it
``@comment``              a comment
``@statements``           a block: a completion may begin on the first line of each child
``@callee``               the expression that is called
``@call``                 a call whose callee is all before its ``arguments``
``@import``               an import; the row's `imports` reads the names from its text
``@opaque``               what holds nothing of all this but calls: it isn't entered
``@open``                 what may hold a definition on one row
========================  ======================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tree_sitter import Language
from tree_sitter_language_pack import SupportedLanguage, get_language

from repo_tune_pipeline.chunking import imports


@dataclass(frozen=True, slots=True)
class TestRule:
    """A function is a test if its name and its head (attributes, signature) match, where asked."""

    name: re.Pattern[str] | None
    head: re.Pattern[str] | None

    def holds(self, name: str, head: str) -> bool:
        return (self.name is None or self.name.search(name) is not None) and (
            self.head is None or self.head.search(head) is not None
        )


@dataclass(frozen=True, slots=True)
class CallText:
    """How a call begins, for those that are told by their text before the tree confirms them.

    Attributes:
        keywords: what stands before a parenthesis and isn't called.
        opening: a pattern of what opens the arguments, as it reads backwards.
        generics: type arguments may stand before the parenthesis.
    """

    keywords: frozenset[bytes]
    opening: str = r"\( ?"
    generics: bool = False


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_JAVASCRIPT = CallText(
    _words("if for while switch catch return function typeof await yield in new"),
    opening=r"[(`](?:(?<=\() )?",
)
_TYPESCRIPT = CallText(_JAVASCRIPT.keywords, opening=_JAVASCRIPT.opening, generics=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLanguage:
    """What differs between languages, beside the query.

    Attributes:
        grammar: name of the grammar in tree-sitter-language-pack.
        query: name of the file under `queries/`, without its suffix.
        separator: what joins the parts of a qualified symbol.
        doc_in_body: the docstring is the body's first string, not the comment above.
        calls: how a call is told by its text; None where it can't be told by parentheses, and the
            query has to look at every node.
        name_marks: what a called name may hold beside letters, digits, ``_`` and ``$``.
        has_methods: functions inside a type are its methods.
        joins: definitions of one name that follow each other are one.
        doc_markup: what isn't shown of a comment that documents.
        ascii_only: the grammar's scanner looks characters up in a table of ASCII, and reads past
            its end, or crashes, at others.
        inner_doc: what begins a comment that documents the file around it, where there is such.
        test: how a test is told from another function; None where the query captures tests.
        imports: the module names in the text of one import.
    """

    grammar: SupportedLanguage
    query: str
    separator: str = "."
    doc_in_body: bool = False
    calls: CallText | None = None
    name_marks: str = ""
    has_methods: bool = True
    ascii_only: bool = False
    joins: bool = False
    doc_markup: re.Pattern[str] | None = None
    inner_doc: tuple[str, ...] = ()
    test: TestRule | None = None
    imports: Callable[[str], list[str]] = imports.quoted_import


CODE_LANGUAGES: dict[str, CodeLanguage] = {
    "Python": CodeLanguage(
        grammar="python",
        query="python",
        doc_in_body=True,
        calls=CallText(
            _words("if elif while for in not and or is return yield await lambda assert del from")
        ),
        test=TestRule(re.compile(r"^test(?![a-z])"), None),
        imports=imports.python_imports,
    ),
    "JavaScript": CodeLanguage(grammar="javascript", query="javascript", calls=_JAVASCRIPT),
    "TypeScript": CodeLanguage(grammar="typescript", query="typescript", calls=_TYPESCRIPT),
    "TSX": CodeLanguage(grammar="tsx", query="typescript", calls=_TYPESCRIPT),
    "Rust": CodeLanguage(
        grammar="rust",
        query="rust",
        separator="::",
        calls=CallText(
            _words("if while for in match return fn move pub crate"),
            opening=r"[(\[{](?: ?!|(?<=\() ?)",
            generics=True,
        ),
        inner_doc=("//!", "/*!"),
        test=TestRule(None, re.compile(r"#\[\s*(?:\w+::)*(?:rs)?test\b")),
        imports=imports.rust_imports,
    ),
    "Go": CodeLanguage(
        grammar="go",
        query="go",
        calls=CallText(_words("if for switch return func go defer range case")),
        test=TestRule(re.compile(r"^(?:Test|Benchmark|Fuzz)"), re.compile(r"\btesting\.[TBF]\b")),
    ),
    "Java": CodeLanguage(
        grammar="java",
        query="java",
        calls=CallText(
            _words("if for while switch catch return synchronized try throw assert super this"),
            generics=True,
        ),
        test=TestRule(None, re.compile(r"@(?:\w+\.)*\w*Test\b")),
        imports=imports.java_imports,
    ),
    "Kotlin": CodeLanguage(
        grammar="kotlin",
        query="kotlin",
        test=TestRule(None, re.compile(r"@(?:\w+\.)*\w*Test\b")),
        imports=imports.kotlin_imports,
    ),
    "C": CodeLanguage(
        grammar="c",
        query="c",
        calls=CallText(_words("if for while switch return sizeof")),
        test=TestRule(re.compile(r"^test(?![a-z])"), None),
        imports=imports.include,
    ),
    "C++": CodeLanguage(
        grammar="cpp",
        query="cpp",
        separator="::",
        test=TestRule(re.compile(r"^test(?![a-z])"), None),
        imports=imports.include,
    ),
    "C#": CodeLanguage(
        grammar="csharp",
        query="csharp",
        doc_markup=re.compile(r"</?(?:summary|remarks|para)>"),
        test=TestRule(
            None,
            re.compile(
                r"[\[,]\s*(?:\w+\.)*(?:\w*Fact|\w*Theory|\w*Test(?:Case(?:Source)?|Method)?)\s*[\],(]"
            ),
        ),
        imports=imports.csharp_imports,
    ),
    "PHP": CodeLanguage(
        grammar="php",
        query="php",
        separator="::",
        test=TestRule(
            None, re.compile(r"\bfunction\s+test(?![a-z])|@test\b|#\[\\?(?:\w+\\)*Test\b")
        ),
        imports=imports.php_imports,
    ),
    "Swift": CodeLanguage(
        grammar="swift",
        query="swift",
        test=TestRule(None, re.compile(r"@Test\b|\bfunc\s+test(?![a-z])\w*\s*\(\s*\)")),
        imports=imports.swift_imports,
    ),
    "Scala": CodeLanguage(
        grammar="scala",
        query="scala",
        test=TestRule(None, re.compile(r"@(?:\w+\.)*\w*Test\b")),
        imports=imports.scala_imports,
    ),
    "Ruby": CodeLanguage(
        grammar="ruby",
        query="ruby",
        separator="::",
        name_marks="?!",
        test=TestRule(re.compile(r"^test_"), None),
    ),
    "Shell": CodeLanguage(
        grammar="bash",
        query="bash",
        ascii_only=True,
        name_marks="-:",
        test=TestRule(re.compile(r"^test(?![a-z])"), None),
    ),
    "Lua": CodeLanguage(
        grammar="lua",
        query="lua",
        test=TestRule(re.compile(r"^test(?![a-z])"), None),
    ),
    "Elixir": CodeLanguage(
        grammar="elixir",
        query="elixir",
        name_marks="?!",
        has_methods=False,
        joins=True,
        imports=imports.elixir_imports,
    ),
    "Haskell": CodeLanguage(
        grammar="haskell",
        query="haskell",
        name_marks="'",
        joins=True,
        test=TestRule(re.compile(r"^(?:spec$|(?:spec|h?prop|unit|test)_)"), None),
        imports=imports.haskell_imports,
    ),
}


@cache
def grammar_of(language: str) -> Language:
    """The tree-sitter grammar of a row; it is carried by the package, nothing is downloaded."""
    return get_language(CODE_LANGUAGES[language].grammar)

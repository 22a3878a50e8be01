"""A function → a real test of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.code import dedent, without_doc
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict, plain_name
from repo_tune_pipeline.sft.test_code import helps_tests

FORMS = (
    "Write the test `{test}` with {framework} for this {noun} from {path} in {repo}:",
    "Write one test, `{test}`, that exercises `{symbol}` from {repo}; use {framework}:",
    "Test the following {language} {noun} from {repo} with {framework}; call the test `{test}`:",
    "How would {repo} test `{symbol}`? Write `{test}` with {framework}:",
)
MOST_LINES = 40
MOST_EXAMPLES = 5
_MIN_LINES = 3
_TEST_WORDS = frozenset({"test", "tests", "should", "can", "it"})
_ACCESSORS = frozenset({"get", "set", "is", "as", "to", "from", "of", "with"})
_ENDS = ("Tests", "Test", "TestCase")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_FRAMEWORKS = (
    ("Python", ("pytest",), "pytest"),
    ("Python", ("unittest",), "unittest"),
    ("Java", ("org.junit.jupiter",), "JUnit 5"),
    ("Java", ("org.junit",), "JUnit 4"),
    ("Kotlin", ("org.junit",), "JUnit"),
    ("Kotlin", ("kotlin.test",), "kotlin.test"),
    ("C#", ("Xunit",), "xUnit"),
    ("C#", ("NUnit",), "NUnit"),
    ("Swift", ("XCTest",), "XCTest"),
    ("PHP", ("PHPUnit",), "PHPUnit"),
    ("", ("vitest",), "Vitest"),
    ("", ("@jest", "jest"), "Jest"),
    ("", ("mocha", "chai"), "Mocha"),
)
_BUILT_IN = {
    "Go": "Go's testing package",
    "Rust": "Rust's built-in test harness",
    "Python": "pytest",
    "Elixir": "ExUnit",
}


class TestGeneration:
    """The answer is a test of the repository that calls the function."""

    __test__ = False  # pytest takes it for one of its own otherwise
    name: TaskName = "test_generation"
    version = "4"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind in ("function", "method", "type") and chunk.part[1] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        tests = [test for test in view.links.tests if is_test_of(test, view.chunk)]
        helps = helps_tests(view.chunk, view.links.tests)
        if problem := "test_code" if helps else view.code_problem or ("" if tests else "no_test"):
            yield Dropped(problem)
            return
        for test in tests[:MOST_EXAMPLES]:
            yield _draft(view, test)


def _draft(view: ChunkView, test: CodeChunk) -> Draft:
    instruction = view.instruction(
        FORMS,
        "test_generation",
        test.chunk_id,
        framework=framework_of(test),
        test=last_name(plain_name(test)),
    )
    output = dedent(test.source.replace("\r\n", "\n")).rstrip()
    also = (test.path,) if test.path != view.chunk.path else ()
    return Draft(instruction, view.shown, output, "source", also=also)


def framework_of(test: CodeChunk) -> str:
    """What a test is written with, as far as its imports tell, else its language."""
    for language, modules, name in _FRAMEWORKS:
        if language in ("", test.language) and any(
            imported == module or imported.startswith((f"{module}.", f"{module}/"))
            for imported in test.imports
            for module in modules
        ):
            return name
    return _BUILT_IN.get(test.language, f"plain {test.language}")


def is_test_of(test: CodeChunk, chunk: CodeChunk) -> bool:
    """Whether a test is short enough to learn from and first of all one of this definition.

    Its name begins with the definition's, but for words like "test" and those of the file or the
    type; or its class is called after the type, `QueueTest` after `Queue`, and its own name after
    the method, at least by half.
    """
    lines = without_doc(test.source, test.doc_span).count("\n") + 1
    whole = _MIN_LINES <= lines <= MOST_LINES and _is_told(test, last_name(chunk.symbol))
    return whole and (
        _is_named_after(test, chunk)
        or (_class_under_test(test) == _type_of(chunk) and _shares_words(test, chunk))
    )


def _is_told(test: CodeChunk, name: str) -> bool:
    """Whether the test itself says on what it calls `name`, and not a fixture of its class."""
    owners = {
        callee.split(".")[0]
        for callee in test.callees
        if "." in callee and last_name(callee) == name
    }
    return all(
        owner[:1].isupper()
        or owner in ("self", "this", *test.imports)
        or re.search(rf"\b{re.escape(owner)}\b\s*(?::?=|[,):]|->)", test.source) is not None
        for owner in owners
    )


def _is_named_after(test: CodeChunk, chunk: CodeChunk) -> bool:
    wanted = _parts(last_name(chunk.symbol))
    named = _parts(last_name(test.symbol))
    places = {*_parts(PurePosixPath(chunk.path).stem), *_parts(_owner(chunk.symbol))}
    start = next((at for at, word in enumerate(named) if word not in _TEST_WORDS | places), 0)
    starts = [at for at in range(start + 1) if named[at : at + len(wanted)] == wanted]
    return bool(starts and wanted)


def _shares_words(test: CodeChunk, chunk: CodeChunk) -> bool:
    if chunk.kind == "type":
        return True
    told = set(_parts(last_name(chunk.symbol))) - _ACCESSORS
    return 2 * len(told & set(_parts(last_name(test.symbol)))) >= max(len(told), 1)


def _class_under_test(test: CodeChunk) -> str:
    """The type that a test's class is called after, or ""."""
    owner = _owner(test.symbol)
    return next((owner.removesuffix(end) for end in _ENDS if owner.endswith(end)), "")


def _type_of(chunk: CodeChunk) -> str:
    """The type a definition is or belongs to; a blank where it is neither."""
    return (last_name(chunk.symbol) if chunk.kind == "type" else _owner(chunk.symbol)) or " "


def _owner(symbol: str) -> str:
    """The name before the last one, or ""."""
    return last_name(symbol[: -len(last_name(symbol)) or None].rstrip(".#: "))


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PART.findall(name)]

"""A function → a real test of it."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.code import dedent, without_doc
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict
from repo_tune_pipeline.sft.test_code import helps_tests

FORMS = (
    "Write a test with {framework} for this {noun} from {path} in {repo}:",
    "Write one test that exercises `{symbol}` from {repo}; use {framework}:",
    "Test the following {language} {noun} from {repo} with {framework}:",
    "How would {repo} test `{symbol}`? Write one test with {framework}:",
)
MOST_LINES = 40
_MIN_LINES = 3
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
    version = "3"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind in ("function", "method") and chunk.part[1] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        test = next((test for test in view.links.tests if _usable(test, view.chunk)), None)
        if helps_tests(view.chunk, view.links.tests):
            yield Dropped("test_code")
        elif view.code_problem:
            yield Dropped(view.code_problem)
        elif test is None:
            yield Dropped("no_test")
        else:
            instruction = view.instruction(FORMS, self.name, framework=framework_of(test))
            output = dedent(test.source.replace("\r\n", "\n")).rstrip()
            also = (test.path,) if test.path != view.chunk.path else ()
            yield Draft(instruction, view.code, output, "source", also=also)


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


def _usable(test: CodeChunk, chunk: CodeChunk) -> bool:
    """Whether a test is short enough to learn from, and bears this function's name."""
    body = without_doc(test.source, test.doc_span)
    lines = body.count("\n") + 1
    named = last_name(chunk.symbol).replace("_", "").lower() in test.symbol.replace("_", "").lower()
    return _MIN_LINES <= lines <= MOST_LINES and named

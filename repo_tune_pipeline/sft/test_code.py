"""Which code is a test's or helps tests, told by its path."""

from __future__ import annotations

import re

from repo_tune_pipeline.records import CodeChunk

_PATH = re.compile(
    r"(?:^|/)(?:(?:[\w-]+-)?tests?|__tests__|specs?|testing|cypress[\w-]*)/|(?:^|/)test_|[._-](?:test|spec)s?\."
    r"|[a-z0-9]Tests?\.(?:java|kt|cs|scala|swift|php)$|(?:^|/)conftest\.py$"
)


def is_test_code(path: str) -> bool:
    """Whether a path is one of tests and of what helps them."""
    return _PATH.search(path) is not None


def helps_tests(chunk: CodeChunk, tests: tuple[CodeChunk, ...]) -> bool:
    """Whether a definition stands among the tests that call it; in Rust each file has its own."""
    beside = any(test.path == chunk.path for test in tests) and chunk.language != "Rust"
    return beside or is_test_code(chunk.path)

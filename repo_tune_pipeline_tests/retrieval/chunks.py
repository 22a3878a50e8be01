"""Chunks for the tests of the search index."""

from msgspec.structs import replace

from repo_tune_pipeline.records import CodeChunk


def chunk(symbol: str, source: str, **changes: str | int) -> CodeChunk:
    whole = CodeChunk(
        chunk_id=f"{symbol}{changes.get('repo', '')}",
        repo="acme/tools",
        commit="c" * 40,
        path="pkg/mod.py",
        language="Python",
        license="MIT",
        kind="function",
        symbol=symbol,
        signature="",
        docstring="",
        doc_span=None,
        source=source,
        start_line=1,
        end_line=1 + source.count("\n"),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def many(count: int, **changes: str) -> list[CodeChunk]:
    """Functions whose names share a word, each with one of its own."""
    return [
        chunk(f"load_part_{number}", f"def load_part_{number}(): return {word(number)}", **changes)
        for number in range(count)
    ]


def word(number: int) -> str:
    """A word of letters alone that no other number has."""
    letters = "bcdfghjklmnpqrtv"
    return "zz" + "".join(letters[int(digit, 16)] for digit in f"{number:04x}")

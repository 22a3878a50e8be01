"""A snapshot of sources given as text."""

from repo_tune_pipeline.chunking import Chunked, chunk_snapshot
from repo_tune_pipeline.records import CodeChunk, Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings

LANGUAGES = {
    "ex": "Elixir",
    "ipynb": "Jupyter Notebook",
    "lua": "Lua",
    "rb": "Ruby",
    "rst": "reStructuredText",
    "sh": "Shell",
    "hs": "Haskell",
    "sql": "SQL",
    "swift": "Swift",
    "scala": "Scala",
    "php": "PHP",
    "kt": "Kotlin",
    "cs": "C#",
    "cpp": "C++",
    "c": "C",
    "go": "Go",
    "java": "Java",
    "js": "JavaScript",
    "md": "Markdown",
    "py": "Python",
    "res": "ReScript",
    "rs": "Rust",
    "ts": "TypeScript",
    "tsx": "TSX",
}


def snapshot(sources: dict[str, str]) -> Snapshot:
    files = tuple(
        SourceFile(path, "", len(text), LANGUAGES[path.rsplit(".", 1)[1]], "MIT", text)
        for path, text in sorted(sources.items())
    )
    return Snapshot("acme/shop", "c" * 40, "", "", files, ())


def cut(sources: dict[str, str], **settings: float) -> Chunked:
    return chunk_snapshot(snapshot(sources), ChunkingSettings.model_validate(settings))


def cut_one(path: str, text: str, **settings: float) -> dict[str, CodeChunk]:
    """The chunks of one file by symbol."""
    return {chunk.symbol: chunk for chunk in cut({path: text}, **settings).chunks}


def reasons(chunked: Chunked) -> dict[str, str]:
    return {rejection.symbol: rejection.reason for rejection in chunked.rejections}


def outline(chunks: dict[str, CodeChunk]) -> list[tuple[str, str, int, int, str]]:
    return [
        (chunk.kind, symbol, chunk.start_line, chunk.end_line, chunk.signature)
        for symbol, chunk in chunks.items()
        if chunk.kind != "module"
    ]


def outline_rows(chunked: Chunked) -> list[tuple[str, str, int, int, str]]:
    """Likewise for the definitions of a file where two have the same symbol."""
    return [
        (chunk.kind, chunk.symbol, chunk.start_line, chunk.end_line, chunk.signature)
        for chunk in chunked.chunks
        if chunk.kind != "module"
    ]


def documentation(chunk: CodeChunk) -> str:
    """What `doc_span` covers."""
    assert chunk.doc_span is not None
    return chunk.source[slice(*chunk.doc_span)]


def cut_lines(chunk: CodeChunk) -> list[str]:
    """The first line of what would have to be completed at each cut."""
    return [chunk.source[at:].split("\n", 1)[0].strip() for at in chunk.cut_points]


def assert_exact(chunk: CodeChunk, text: str) -> None:
    """What holds for every chunk of any file."""
    lines = text.split("\n")[chunk.start_line - 1 : chunk.end_line]
    assert chunk.source == "\n".join(lines)
    assert list(chunk.cut_points) == sorted(set(chunk.cut_points))
    for at in chunk.cut_points:
        assert chunk.source[at - 1] == "\n"
        assert chunk.source[:at].strip()
        assert chunk.source[at:].strip()
    if chunk.doc_span is None:
        assert not chunk.docstring
    else:
        start, end = chunk.doc_span
        assert 0 <= start < end <= len(chunk.source)
        assert not any(start < at < end for at in chunk.cut_points)
    assert "\n" not in chunk.signature
    assert "\r" not in chunk.docstring

"""Files to chunks: functions, methods, types, tests; sections of documents."""

from repo_tune_pipeline.chunking.candidates import FileChunks, Origin, stamp
from repo_tune_pipeline.chunking.stage import (
    CHUNKER_VERSION,
    Chunked,
    chunk_snapshot,
    collector_paused,
    cut_file,
)
from repo_tune_pipeline.chunking.store import (
    CutFile,
    CutRepository,
    file_chunks,
    holds_chunks,
    load_chunks,
    load_cut,
    save_chunks,
)
from repo_tune_pipeline.chunking.syntax import syntax_errors

__all__ = [
    "CHUNKER_VERSION",
    "Chunked",
    "CutFile",
    "CutRepository",
    "FileChunks",
    "Origin",
    "chunk_snapshot",
    "collector_paused",
    "cut_file",
    "file_chunks",
    "holds_chunks",
    "load_chunks",
    "load_cut",
    "save_chunks",
    "stamp",
    "syntax_errors",
]

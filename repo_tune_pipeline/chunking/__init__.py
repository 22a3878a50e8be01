"""Files to chunks: functions, methods, types, tests; sections of documents."""

from repo_tune_pipeline.chunking.stage import CHUNKER_VERSION, Chunked, chunk_snapshot
from repo_tune_pipeline.chunking.store import load_chunks, save_chunks

__all__ = ["CHUNKER_VERSION", "Chunked", "chunk_snapshot", "load_chunks", "save_chunks"]

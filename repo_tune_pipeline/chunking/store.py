"""Chunks on disk, identified by their content."""

from __future__ import annotations

from pathlib import Path

import msgspec

from repo_tune_pipeline.artifacts import digest_bytes, new_folder, write_file
from repo_tune_pipeline.chunking.stage import Chunked, chunked_of
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import CodeChunk, Rejection

CHUNKS_FILE = "chunks.msgpack"


def save_chunks(folder: Path, chunked: Chunked) -> str:
    """Write a stage's result as a whole folder; what stood there is replaced.

    Returns:
        64 hexadecimal digits over the content.

    Raises:
        StorageError: the folder can't be written; what stood there is unharmed.
    """
    data = msgspec.msgpack.encode((chunked.chunks, chunked.rejections))
    with new_folder(folder) as building:
        write_file(building / CHUNKS_FILE, data)
    return digest_bytes(data)


def load_chunks(folder: Path) -> Chunked:
    """Read back what `save_chunks` wrote, equal to what it was given.

    Raises:
        StorageError: a file is missing or isn't such a table.
    """
    file = folder / CHUNKS_FILE
    try:
        chunks, rejections = msgspec.msgpack.decode(
            file.read_bytes(), type=tuple[tuple[CodeChunk, ...], tuple[Rejection, ...]]
        )
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(f"{file} can't be read: {error}.", "Ingest again.") from None
    return chunked_of(chunks, rejections)

"""Chunks on disk: what each text was cut into by content, and which texts a snapshot has.

`chunks.db` lies beside the folder, so that a commit which changes one file costs one parse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec
import orjson

from repo_tune_pipeline.artifacts import digest_bytes, new_folder, write_file
from repo_tune_pipeline.chunking.candidates import FileChunks, Origin, stamp
from repo_tune_pipeline.chunking.stage import CHUNKER_VERSION, Chunked, chunked_of, collector_paused
from repo_tune_pipeline.chunking.workers import cut_files
from repo_tune_pipeline.errors import StorageError
from repo_tune_pipeline.records import CodeChunk, Rejection, Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings
from repo_tune_pipeline.shelf import Shelf

FILES = "files.msgpack"
_BATCH = 200


@dataclass(frozen=True, slots=True)
class CutFile:
    """One file of a snapshot, without its text, and the key of what it was cut into."""

    path: str
    blob: str
    size: int
    language: str
    license: str
    changed: str
    key: bytes


@dataclass(frozen=True, slots=True)
class CutRepository:
    """Which files a repository's chunks come from, sorted by path."""

    repo: str
    commit: str
    files: tuple[CutFile, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FileChunks).decode


def save_chunks(folder: Path, snapshot: Snapshot, settings: ChunkingSettings) -> str:
    """Cut every file of a snapshot that wasn't cut before, and write down what there is.

    Returns:
        64 hexadecimal digits over the chunks' content and place.

    Raises:
        StorageError: the folder can't be written; what stood there is unharmed.
    """
    version = orjson.dumps([CHUNKER_VERSION, settings.model_dump(mode="json")])
    keys = {file.path: _key(version, file) for file in snapshot.files}
    shelf = _shelf(folder)
    known = shelf.keys()
    missing = {keys[file.path]: file for file in snapshot.files if keys[file.path] not in known}
    cut: dict[bytes, bytes] = {}
    for file, found in cut_files(list(missing.values()), settings):
        cut[keys[file.path]] = _encode(found)
    shelf.put(cut)
    files = tuple(
        CutFile(f.path, f.blob, f.size, f.language, f.license, f.changed, keys[f.path])
        for f in snapshot.files
    )
    data = _encode(CutRepository(snapshot.repo, snapshot.commit, files))
    with new_folder(folder) as building:
        write_file(building / FILES, data)
    shelf.put({}, keep=keys.values())
    return digest_bytes(data)


def load_chunks(folder: Path) -> Chunked:
    """The chunks and rejections that `save_chunks` last left in `folder`.

    Raises:
        StorageError: something is missing or damaged.
    """
    cut = load_cut(folder)
    chunks: list[CodeChunk] = []
    rejections: list[Rejection] = []
    with collector_paused():
        for file, found in file_chunks(folder, cut.files):
            kept, dropped = stamp(found, Origin(cut.repo, cut.commit, file))
            chunks += kept
            rejections += dropped
    return chunked_of(chunks, rejections)


def load_cut(folder: Path) -> CutRepository:
    """Which files the chunks in `folder` come from.

    Raises:
        StorageError: there are none, or the file is damaged.
    """
    file = folder / FILES
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=CutRepository)
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(f"{file} can't be read: {error}.", "Ingest again.") from None


def file_chunks(folder: Path, files: Iterable[CutFile]) -> Iterator[tuple[SourceFile, FileChunks]]:
    """Each file, without its text, with what it was cut into; a few at a time in memory.

    Raises:
        StorageError: something is missing or damaged.
    """
    rows = list(files)
    for first in range(0, len(rows), _BATCH):
        part = rows[first : first + _BATCH]
        found = _shelf(folder).get(row.key for row in part)
        for row in part:
            yield _source(row), _decoded(folder, row, found)


def holds_chunks(folder: Path) -> bool:
    """Whether everything that `load_chunks` needs is there."""
    try:
        cut = load_cut(folder)
    except StorageError:
        return False
    return _shelf(folder).keys() >= {file.key for file in cut.files}


def _decoded(folder: Path, row: CutFile, found: Mapping[bytes, bytes]) -> FileChunks:
    try:
        return _decode(found[row.key])
    except (KeyError, msgspec.DecodeError):
        raise StorageError(f"The chunks in {folder} aren't whole.", "Ingest again.") from None


def _source(row: CutFile) -> SourceFile:
    return SourceFile(row.path, row.blob, row.size, row.language, row.license, "", (), row.changed)


def _shelf(folder: Path) -> Shelf:
    return Shelf(folder.with_name("chunks.db"))


def _key(version: bytes, file: SourceFile) -> bytes:
    key = blake2b(version, digest_size=16)
    key.update(file.language.encode())
    key.update(b"\0")
    key.update(file.text.encode("utf-8", "surrogatepass"))
    return key.digest()

"""Tar files, inflated as a stream into a nameless temporary file and read from there."""

from __future__ import annotations

import bz2
import lzma
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from repo_tune_pipeline.ingestion.zips import damaged, is_too_large, too_large
from repo_tune_pipeline.settings import IngestionSettings

_PART = 1 << 18
_HEADER_LIMIT = 1024 * 1024
_LZMA_MEMORY = 128 * 1024 * 1024
_STREAM_BYTES = 1024
_FREE_STREAMS = 1000
_OF_ONE_MEMBER = frozenset({"path", "linkpath", "size", "GNU.sparse.name", "GNU.sparse.size"})
_BROKEN = (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError, struct.error)


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member; a hard link has the place of the file that it leads to."""

    name: bytes
    size: int
    reason: str
    is_folder: bool
    start: int
    shown: str

    def read(self, file: IO[bytes]) -> bytes:
        file.seek(self.start)
        data = file.read(self.size)
        if len(data) != self.size:
            raise damaged(self.shown, "it is cut short")
        return data


@contextmanager
def tar_members(
    file: IO[bytes], name: str, shown: str, settings: IngestionSettings
) -> Generator[tuple[IO[bytes], Iterator[TarMember]], None, None]:
    """The inflated file and its members, checked one by one as they are taken.

    Raises:
        SourceError: it is damaged, or inflates to more than the settings allow.
    """
    start = _decompressor(name.lower())
    with tempfile.TemporaryFile(prefix="repo-tune-") as plain:
        if start is None:
            if is_too_large(file.seek(0, 2), file.tell(), settings):
                raise too_large(shown, settings)
            yield file, _members(file, shown)
        else:
            _inflate(file, plain, start, shown, settings)
            yield plain, _members(plain, shown)


def _decompressor(name: str) -> Callable[[], Any] | None:
    if name.endswith((".gz", ".tgz")):
        return lambda: zlib.decompressobj(31)
    if name.endswith((".bz2", ".tbz2")):
        return bz2.BZ2Decompressor
    if name.endswith((".xz", ".txz")):
        return lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)
    return None


def _inflate(
    packed: IO[bytes],
    plain: IO[bytes],
    start: Callable[[], Any],
    shown: str,
    settings: IngestionSettings,
) -> None:
    """Inflate part by part; what comes out is counted before more is asked for."""
    taken = given = streams = 0
    stream, rest = start(), b""
    try:
        while part := rest or packed.read(_PART):
            taken += 0 if rest else len(part)
            if stream.eof:
                if not part.strip(b"\0"):
                    rest = b""
                    continue
                stream, streams = start(), streams + 1
                if streams > _FREE_STREAMS + given // _STREAM_BYTES:
                    raise damaged(shown, "it is cut into more streams than any program makes")
            given += _write(stream, part, plain)
            while not stream.eof and _has_more(stream):
                if is_too_large(given, taken, settings):
                    raise too_large(shown, settings)
                given += _write(stream, getattr(stream, "unconsumed_tail", b""), plain)
            if is_too_large(given, taken, settings):
                raise too_large(shown, settings)
            rest = stream.unused_data if stream.eof else b""
    except (zlib.error, lzma.LZMAError, OSError, EOFError):
        raise damaged(shown, "it can't be unpacked") from None
    if not stream.eof:
        raise damaged(shown, "it is cut short")


def _has_more(stream: Any) -> bool:
    tail = getattr(stream, "unconsumed_tail", None)
    return bool(tail) if tail is not None else not stream.needs_input


def _write(stream: Any, part: bytes, plain: IO[bytes]) -> int:
    return plain.write(stream.decompress(part, _PART))


class _Headers:
    """A file of which `tarfile` may read a megabyte for each member's headers, and no more."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.left = _HEADER_LIMIT

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise ValueError("a header is too long")
        self.left -= size
        return self._file.read(size)

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)

    def tell(self) -> int:
        return self._file.tell()


def _members(file: IO[bytes], shown: str) -> Iterator[TarMember]:
    length = file.seek(0, 2)
    file.seek(0)
    headers: Any = _Headers(file)
    regular: dict[str, TarMember] = {}
    try:
        tar = tarfile.TarFile(fileobj=headers, encoding="utf-8", errors="surrogateescape")
        before = -1
        while (info := _next(tar, headers)) is not None:
            end = info.offset_data + (0 if info.issparse() else info.size)
            if info.offset <= before or info.size < 0 or end > length:
                raise damaged(shown, "its headers are damaged")
            before = info.offset
            member = _member(info, regular, shown)
            if info.isreg() and not member.reason:
                regular[info.name] = member
            yield member
        headers.left = _HEADER_LIMIT
        headers.seek(tar.offset)
        if headers.read(512) != bytes(512):
            raise damaged(shown, "it is cut short, or its headers are damaged")
    except _BROKEN:
        raise damaged(shown, "its headers are damaged, or it is no tar file") from None


def _next(tar: tarfile.TarFile, headers: _Headers) -> tarfile.TarInfo | None:
    headers.left = _HEADER_LIMIT
    info = tar.next()
    cast(Any, tar).members.clear()  # else each header would be kept in memory
    if not _OF_ONE_MEMBER.isdisjoint(tar.pax_headers):
        raise ValueError("a header for all members names one")
    # What else stands there isn't needed, and could grow without end.
    cast(Any, tar).pax_headers.clear()
    return info


def _member(info: tarfile.TarInfo, regular: dict[str, TarMember], shown: str) -> TarMember:
    name = info.name.encode("utf-8", "surrogateescape")
    if info.islnk():
        target = regular.get(info.linkname)
        if target is None:
            raise damaged(shown, "a hard link leads to what isn't a file before it")
        return TarMember(name, target.size, "", False, target.start, shown)
    reason = "symlink" if info.issym() else ""
    if not (info.isreg() or info.isdir() or info.issym()) or info.issparse():
        reason = "special_file"
    return TarMember(name, info.size, reason, info.isdir(), info.offset_data, shown)

"""Zip files: the central directory, each member checked against its own header before it is read.

`zipfile` isn't used: it loads a directory of any length, and takes members that overlap.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from repo_tune_pipeline.errors import SourceError
from repo_tune_pipeline.settings import IngestionSettings

_END, _END64, _LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_CENTRAL, _LOCAL = struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s5H3I2H")
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_STREAMED, _UTF8 = 0x0008, 0x0800
_WHOLE_32 = 0xFFFFFFFF
FREE_BYTES = 1024 * 1024
"""Up to here no ratio is looked at: small files of one repeated line are honest."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member, as the central directory has it."""

    name: bytes
    size: int
    reason: str
    is_folder: bool
    method: int
    crc: int
    packed: int
    start: int
    shown: str

    def read(self, file: IO[bytes]) -> bytes:
        """Inflate, but never more than the size that was declared."""
        file.seek(self.start)
        data = file.read(self.packed)
        if self.method == 8:
            inflate = zlib.decompressobj(-15)
            try:
                data = inflate.decompress(data, self.size + 1)
            except zlib.error:
                raise damaged(self.shown, "a member can't be unpacked") from None
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise damaged(self.shown, "a member isn't what its header says")
        return data


@contextmanager
def zip_members(
    file: IO[bytes], _name: str, shown: str, settings: IngestionSettings
) -> Generator[tuple[IO[bytes], Iterator[ZipMember]], None, None]:
    """The open file and its members, checked one by one as they are taken."""
    yield file, _members(file, shown, settings)


def damaged(shown: str, why: str) -> SourceError:
    """The error for an archive that is broken or lies; `why` ends the sentence."""
    return SourceError(f"{shown} can't be used: {why}.", "Make or download the archive anew.")


def too_large(shown: str, settings: IngestionSettings) -> SourceError:
    """The error for an archive that `is_too_large`."""
    return SourceError(
        f"{shown} unpacks to more than {settings.max_archive_bytes:,} bytes, or more than "
        f"{settings.max_archive_ratio} times its size.",
        "If you trust it, raise `ingestion.max_archive_bytes` or `ingestion.max_archive_ratio`.",
    )


def is_too_large(size: int, packed: int, settings: IngestionSettings) -> bool:
    """Whether `packed` bytes give more than the settings allow."""
    ratio = size > FREE_BYTES and size > settings.max_archive_ratio * max(packed, 1)
    return ratio or size > settings.max_archive_bytes


def _members(file: IO[bytes], shown: str, settings: IngestionSettings) -> Iterator[ZipMember]:
    length = file.seek(0, 2)
    number, size, offset = _directory(file, length, shown)
    spans: list[tuple[int, int]] = []
    total = seen = 0
    at = offset
    while at < offset + size:
        file.seek(at)
        head = file.read(_CENTRAL.size)
        if len(head) < _CENTRAL.size or head[:4] != b"PK\1\2":
            raise damaged(shown, "its directory is damaged")
        member, end, at = _member(file, head, at, shown)
        spans.append((member[0], end))
        total += member[1].size
        packed = member[1].packed
        if is_too_large(total, length, settings) or is_too_large(member[1].size, packed, settings):
            raise too_large(shown, settings)
        seen += 1
        yield member[1]
    spans.sort()
    ends = [0, *(end for _, end in spans)]
    overlaps = any(start < end for (start, _), end in zip(spans, ends, strict=False))
    if seen != number or at != offset + size or overlaps or ends[-1] > offset:
        raise damaged(shown, "its members overlap, or its headers disagree")


def _directory(file: IO[bytes], length: int, shown: str) -> tuple[int, int, int]:
    """Number of members, bytes and place of the central directory."""
    file.seek(max(0, length - 65_557))
    tail = file.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) - found < 22:
        raise damaged(shown, "it is cut short, or no zip file")
    disk, first, here, number, size, offset, comment = struct.unpack_from("<4H2IH", tail, found + 4)
    if disk or first or here != number or found + 22 + comment != len(tail):
        raise damaged(shown, "its end is damaged, or lies on another disk")
    if number == 0xFFFF or _WHOLE_32 in (size, offset):
        end = tail.rfind(_END64, 0, found)
        if end < 0 or tail.find(_LOCATOR, end) < 0 or found - end < 76:
            raise damaged(shown, "its end is damaged")
        number, size, offset = struct.unpack_from("<3Q", tail, end + 32)
    if offset + size > length:
        raise damaged(shown, "it is cut short")
    return number, size, offset


def _member(
    file: IO[bytes], head: bytes, at: int, shown: str
) -> tuple[tuple[int, ZipMember], int, int]:
    """(place of its own header, member), where its data ends, and the next directory entry."""
    fields = _CENTRAL.unpack(head)
    flags, method, crc, packed, size = fields[3], fields[4], *fields[7:10]
    names, extras, comments, attributes, local = *fields[10:13], fields[15], fields[16]
    name, extra = file.read(names), file.read(extras)
    size, packed, local = _wide(extra, [size, packed, local], shown)
    if flags & _ENCRYPTED:
        raise damaged(shown, "it is encrypted")
    file.seek(min(local, at))
    own = file.read(_LOCAL.size)
    if len(own) < _LOCAL.size or own[:4] != b"PK\3\4":
        raise damaged(shown, "a member's header is missing")
    there = _LOCAL.unpack(own)
    inner_name, inner_extra = file.read(there[9]), file.read(there[10])
    sizes = _wide(inner_extra, [there[8], there[7]], shown)
    same = inner_name == name and there[3] == method
    same = same and (there[2] ^ flags) & (_ENCRYPTED | _STREAMED | _UTF8) == 0
    if not same or (not flags & _STREAMED and [there[6], *sizes] != [crc, size, packed]):
        raise damaged(shown, "its headers disagree")
    start = local + _LOCAL.size + there[9] + there[10]
    mode = attributes >> 16
    folder = name.endswith(b"/") or stat.S_ISDIR(mode)
    reason = _reason(mode, method)
    member = ZipMember(name, size, reason, folder, method, crc, packed, start, shown)
    return (local, member), start + packed, at + _CENTRAL.size + names + extras + comments


def _reason(mode: int, method: int) -> str:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "special_file"
    return "" if method in (0, 8) else "unreadable"


def _wide(extra: bytes, values: list[int], shown: str) -> list[int]:
    """The values, those that need more than 32 bits from the extra field that has them."""
    at, wide = 0, b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    found: list[int] = []
    for value in values:
        if value == _WHOLE_32:
            if len(wide) < 8:
                raise damaged(shown, "its headers are damaged")
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        found.append(value)
    return found

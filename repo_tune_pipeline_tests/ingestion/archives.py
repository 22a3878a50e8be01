"""Zip and tar files for the tests, honest and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable

CODE = b"x = 1\n"
_ZEROS = bytes(5_000_000)
_LINK = ("in", tarfile.SYMTYPE, b"", "/etc")


def zipped(
    files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> bytes:
    """A zip file; `change` may alter each member's header."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(info)
            archive.writestr(info, data)
    return packed.getvalue()


def tarred(members: list[tuple[str, bytes, bytes, str]]) -> bytes:
    """A tar file of (name, kind, content, target of a link)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, kind, data, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), target
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def tar_of(files: dict[str, bytes]) -> bytes:
    """A tar file of plain files."""
    return tarred([(name, tarfile.REGTYPE, data, "") for name, data in files.items()])


def as_link(info: zipfile.ZipInfo) -> None:
    """Let the member `in` be a symbolic link."""
    if info.filename == "in":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def through_links() -> dict[str, bytes]:
    """A file written through a link, and a hard link to a symbolic one."""
    passwd = ("a.py", tarfile.SYMTYPE, b"", "/etc/passwd")
    return {
        "through.tar": tarred([_LINK, ("in/a.py", tarfile.REGTYPE, CODE, "")]),
        "through.zip": zipped({"in": b"/etc", "in-between": b"", "in/a.py": CODE}, as_link),
        "hard.tar": tarred([passwd, ("b.py", tarfile.LNKTYPE, b"", "a.py")]),
    }


def bombs() -> dict[str, bytes]:
    """Far more than 100 bytes for one, and members that share their bytes."""
    return {
        "bomb.zip": zipped({"a.py": _ZEROS}),
        "bomb.tar.gz": gzip.compress(tar_of({"a.py": _ZEROS})),
        "bomb.tar.bz2": bz2.compress(tar_of({"a.py": _ZEROS})),
        "bomb.tar.xz": lzma.compress(tar_of({"a.py": _ZEROS})),
        "overlapping.zip": _overlapping(),
    }


def nested_bomb() -> bytes:
    """A zip file with another one in it."""
    return zipped({"inner.zip": zipped({"a.py": _ZEROS})})


def broken() -> dict[str, bytes]:
    """Cut short, encrypted, or with headers that disagree."""
    files = {"a.py": CODE, "b.py": CODE}
    whole, tar = zipped(files), tar_of(files)
    directory = whole.find(b"PK\1\2")
    shorter, encrypted = bytearray(whole), bytearray(whole)
    for at in (22, directory + 24):
        shorter[at : at + 4] = struct.pack("<I", 2)
    encrypted[directory + 8] |= 1
    return {
        "cut.zip": whole[:-30],
        "renamed.zip": whole.replace(b"a.py", b"c.py", 1),
        "shorter.zip": bytes(shorter),
        "encrypted.zip": bytes(encrypted),
        "empty.zip": b"",
        "cut.tar": tar[:1030],
        "changed.tar": tar[:1100] + b"!" + tar[1101:],
        "cut.tar.gz": gzip.compress(tar)[:-9],
        "cut.tar.xz": lzma.compress(tar)[:-9],
        "none.tar": b"no tar",
    }


def _overlapping() -> bytes:
    """A zip file of two members, the second of which lies in the first one's content."""

    def stored(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    inner = zipped({"bb.py": CODE})
    record, entry = inner[: inner.find(b"PK\1\2")], bytearray(inner[inner.find(b"PK\1\2") : -22])
    outer = zipped({"aa.py": record}, stored)
    entry[42:46] = struct.pack("<I", outer.find(record))
    directory, end = outer.find(b"PK\1\2"), bytearray(outer[-22:])
    end[8:16] = struct.pack("<2HI", 2, 2, len(outer) - 22 - directory + len(entry))
    return outer[:-22] + bytes(entry) + bytes(end)


def sparse_tar() -> bytes:
    """A tar file with a file of 1 GiB that is all hole, as GNU tar writes it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, size in (("a.py", 0), ("big.py", 1 << 30)):
            info = tarfile.TarInfo(name)
            data = b"0\n".ljust(512, b"\0") if size else CODE
            info.size = len(data)
            if size:
                info.pax_headers = {
                    "GNU.sparse.major": "1",
                    "GNU.sparse.minor": "0",
                    "GNU.sparse.name": name,
                    "GNU.sparse.realsize": str(size),
                }
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()

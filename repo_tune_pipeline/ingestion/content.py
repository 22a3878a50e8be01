"""What the bytes of a file tell: its language and text, or the reason to drop it."""

from __future__ import annotations

from dataclasses import dataclass

from repo_tune_pipeline.ingestion.attributes import NOTHING, Said
from repo_tune_pipeline.ingestion.encodings import decode, flags_of
from repo_tune_pipeline.ingestion.generated import says_generated
from repo_tune_pipeline.ingestion.languages import (
    LANGUAGES,
    kind_of,
    language_of_content,
    language_of_path,
    language_of_shebang,
)
from repo_tune_pipeline.ingestion.notebooks import NOTEBOOK, without_outputs
from repo_tune_pipeline.ingestion.shapes import is_minified, is_pathological

_MAGIC = (b"%PDF-", b"\x89PNG", b"PK\x03\x04", b"\x7fELF", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Content:
    """What reading a file told: a `reason` to drop it, or its `language` and `text`."""

    reason: str
    language: str
    text: str = ""
    flags: tuple[str, ...] = ()


def judge_content(path: str, data: bytes, max_file_bytes: int, said: Said = NOTHING) -> Content:
    """Decode and judge the bytes of a file whose path and size no gate has closed.

    `said` is what the repository's attributes say of it.
    """
    named = said.language or language_of_path(path)
    if data.startswith(_LFS_POINTER):
        return Content("lfs_pointer", named)
    if data.startswith(_MAGIC):
        return Content("binary", named)
    if named == NOTEBOOK:
        return _judge_notebook(data, max_file_bytes)
    text, encoding = decode(data)
    if text is None:
        return Content("binary" if b"\0" in data else "not_text", named)
    written = said.language or language_of_content(path, text) or language_of_shebang(data)
    if written not in LANGUAGES:
        return Content(kind_of(written), written)
    reason = _reason_of_text(path, text, written, said)
    if reason:
        return Content(reason, written)
    return Content("", written, text, flags_of(text, encoding))


def _judge_notebook(data: bytes, max_file_bytes: int) -> Content:
    if not data.strip():
        return Content("empty", NOTEBOOK)
    reason, text = without_outputs(data, max_file_bytes)
    if reason:
        return Content(reason, NOTEBOOK)
    if is_pathological(text):
        return Content("pathological", NOTEBOOK)
    flags = ("outputs_removed", *flags_of(text, "utf-8"))
    return Content("", NOTEBOOK, text, tuple(sorted(flags)))


def _reason_of_text(path: str, text: str, language: str, said: Said) -> str:
    if not text or text.isspace():
        return "empty"
    if said.generated is None and says_generated(path, text):
        return "generated"
    if is_minified(text, language):
        return "minified"
    return "pathological" if is_pathological(text) else ""

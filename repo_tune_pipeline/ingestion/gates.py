"""Which files are kept, and for which one reason each other file is dropped.

The gates here need a file's path, its size and what `.gitattributes` says of it; they come first,
those of `content` read it. The first gate that closes gives the reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from repo_tune_pipeline.errors import ConfigError
from repo_tune_pipeline.ingestion.attributes import NOTHING, Said
from repo_tune_pipeline.ingestion.generated import is_generated_name
from repo_tune_pipeline.ingestion.languages import (
    LANGUAGES,
    extension,
    kind_of,
    language_of_path,
    may_have_shebang,
)
from repo_tune_pipeline.ingestion.notebooks import MAX_NOTEBOOK_BYTES, NOTEBOOK
from repo_tune_pipeline.ingestion.shapes import is_minified_name
from repo_tune_pipeline.ingestion.vendored import is_vendored, is_version_control
from repo_tune_pipeline.settings import IngestionSettings

REASONS = {
    "symlink": "a symbolic link; it is never followed",
    "submodule": "another repository's commit; it is never fetched",
    "special_file": "a FIFO, socket or device in a folder; it is never opened",
    "unreadable": "a file or folder that this user may not read",
    "path_not_utf8": "its path isn't UTF-8; shown with backslash escapes",
    "excluded": "by `include` or `exclude` of the configuration",
    "vendored": "in a folder of others' code, built output, an environment or version control",
    "lockfile": "a package manager's lock file",
    "generated": "made by a tool, as its name or its first lines say",
    "minified": "made for machines: `*.min.*`, or lines far too long for people",
    "binary": "not text, as its extension, a magic number or a NUL byte says",
    "bad_notebook": "a notebook that isn't valid JSON of its form, or has millions of values",
    "data": "data rather than code (JSON, YAML, XML and the like), as Linguist's table says",
    "pathological": "brackets nested far deeper than people write",
    "license_not_allowed": "under a licence that `licenses.allow` of the configuration lacks",
    "secret_in_path": "its path holds a secret, which is replaced where it is shown",
    "language_not_supported": "in none of the languages that the next stages read",
    "empty": "no content but blanks",
    "too_large": "more bytes than `max_file_bytes` of the configuration",
    "missing_blob": "its content isn't in the object store, or is damaged there",
    "lfs_pointer": "a pointer of Git LFS in place of the content",
    "not_text": "in no encoding of text: neither UTF-8, nor UTF-16, nor Windows-1252",
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOCKFILES = _words("""
    .terraform.lock.hcl bun.lock bun.lockb cargo.lock composer.lock deno.lock esy.lock flake.lock
    gemfile.lock glide.lock go.sum go.work.sum gopkg.lock gradle.lockfile npm-shrinkwrap.json
    package-lock.json pdm.lock pipfile.lock pnpm-lock.yaml podfile.lock poetry.lock pubspec.lock
    pylock.toml uv.lock yarn.lock
""")
_BINARY = _words("""
    .7z .a .avif .bin .bmp .bz2 .class .dll .dylib .eot .exe .gif .gz .icns .ico .jar .jpeg .jpg
    .mov .mp3 .mp4 .npy .npz .o .ogg .otf .parquet .pdf .png .pyc .pyd .rar .safetensors .so
    .sqlite .tar .tgz .tif .tiff .ttf .wasm .wav .webm .webp .whl .woff .woff2 .xz .zip .zst
""")


class PathFilter:
    """`include` and `exclude` of the configuration, in the pattern language of .gitignore.

    Raises:
        ConfigError: a pattern that can't be understood.
    """

    def __init__(self, settings: IngestionSettings) -> None:
        self._include = _compile("include", settings.include)
        self._exclude = _compile("exclude", settings.exclude)

    def drops(self, path: str) -> bool:
        if self._include is not None and not self._include.match_file(path):
            return True
        return self._exclude is not None and self._exclude.match_file(path)


def reason_of_path(
    path: str, size: int, paths: PathFilter, max_file_bytes: int, said: Said = NOTHING
) -> str:
    """The reason to drop a regular file without reading it, or an empty string."""
    name = path.rpartition("/")[2].lower()
    if paths.drops(path):
        return "excluded"
    if is_version_control(path):
        return "vendored"
    if said.vendored or (said.vendored is None and is_vendored(path)):
        return "vendored"
    if name in _LOCKFILES:
        return "lockfile"
    if said.generated or (said.generated is None and is_generated_name(path)):
        return "generated"
    if is_minified_name(name):
        return "minified"
    if said.binary or (not said.language and extension(path) in _BINARY):
        return "binary"
    language = said.language or language_of_path(path)
    if unsupported := _unsupported(language, path):
        return unsupported
    if size == 0:
        return "empty"
    limit = MAX_NOTEBOOK_BYTES if language == NOTEBOOK else max_file_bytes
    return "too_large" if size > limit else ""


def _unsupported(language: str, path: str) -> str:
    if language in LANGUAGES or (not language and may_have_shebang(path)):
        return ""
    return "" if extension(path) == ".inc" else kind_of(language)


def _compile(key: str, patterns: Sequence[str]) -> GitIgnoreSpec | None:
    if not patterns:
        return None
    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise ConfigError(
            f"A pattern in `ingestion.{key}` can't be understood: {error}.",
            "Write it as in a .gitignore file.",
        ) from None

"""The licence that a repository gives a path, as an SPDX expression."""

from __future__ import annotations

import re
from collections.abc import Mapping

from repo_tune_pipeline.ingestion.expressions import joined
from repo_tune_pipeline.ingestion.fingerprints import recognise
from repo_tune_pipeline.ingestion.headers import license_of_header
from repo_tune_pipeline.ingestion.languages import extension, language_of_path, language_type
from repo_tune_pipeline.ingestion.manifests import license_of_manifest
from repo_tune_pipeline.ingestion.wording import restricts, words_of
from repo_tune_pipeline.records import NO_ASSERTION

MAX_LICENSE_BYTES = 200_000

_NAME = re.compile(
    r"(?:(?:mit|apache|bsd|[al]?gpl|isc|mpl)[-_.])?(?:(?:un)?licen[cs]e|copying)(?:[-_.][\w.\-]+)?",
    re.IGNORECASE,
)
_NO_TEXT = ("programming", "data", "markup")
_NO_TEXT_ENDINGS = (".docx", ".gif", ".jpg", ".odt", ".pdf", ".png")
_PLAIN = re.compile(
    r"(?:licen[cs]e|copying)(?:\.lesser)?(?:\.(?:md|markdown|txt|rst|adoc))?", re.IGNORECASE
)
_POINTER = re.compile(
    r"(?:[/(\[`]|\bin )(?:LICEN[SC]E|COPYING)|\b[Dd]ual[- ]licen[cs]ed|\beither licen[cs]e"
)
_POINTER_WORDS = 60
_MOST_CHARACTERS = 16_000_000


def is_license_name(path: str) -> bool:
    """Whether `path` is by its name a licence text, which governs its folder and those below."""
    name = path.rpartition("/")[2]
    if _NAME.fullmatch(name) is None:
        return False
    # `LICENSE-2.1` ends in a version, not in what manual pages end in.
    ending = extension(name)
    is_text = language_type(language_of_path(name)) not in _NO_TEXT
    return ending[1:].isdigit() or (is_text and ending not in _NO_TEXT_ENDINGS)


class Governing:
    """What the nearest licence text or package manifest says of a path."""

    def __init__(
        self, texts: Mapping[str, str], manifests: Mapping[str, str], min_similarity: float
    ) -> None:
        """`texts` and `manifests` map the paths of licence texts and manifests to what they say."""
        self._min_similarity = min_similarity
        self._left = _MOST_CHARACTERS
        self._known: dict[str, str] = {}
        self._texts = {
            folder: license_id
            for folder, found in _by_folder(texts).items()
            if (license_id := self._of_texts(found))
        }
        self._manifests = {
            folder: license_id
            for folder, found in _by_folder(manifests).items()
            if (license_id := _of_manifests(found))
        }
        self.root = self.of("a")

    def of(self, path: str) -> str:
        """The licence of the nearest folder with a licence text, else that of the nearest manifest.

        Where a manifest between that folder and the path names another licence, both apply: what
        a package's template filled in takes nothing back, and a stricter licence counts.
        """
        declared = ""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._texts:
                text = self._texts[folder]
                said = declared not in ("", NO_ASSERTION) and text != NO_ASSERTION
                return joined((text, declared), "AND") if said else text
            declared = declared or self._manifests.get(folder, "")
        return declared or NO_ASSERTION

    def is_below_root(self, path: str) -> bool:
        """Whether a folder below the root says something of `path`."""
        folder = path.rpartition("/")[0]
        while folder:
            if folder in self._texts or self._manifests.get(folder, NO_ASSERTION) != NO_ASSERTION:
                return True
            folder = folder.rpartition("/")[0]
        return False

    def _of_texts(self, texts: Mapping[str, str]) -> str:
        """The licence that one folder's texts (name → text) give it; empty if they say nothing.

        Texts with a plain name (`LICENSE`, `COPYING.md`) decide, and all of them apply (AND).
        Where there are none, each text names its licence (`LICENSE-MIT` beside `UNLICENSE`), and
        by convention a user may choose (OR). One that isn't recognised makes it NOASSERTION.
        """
        found = {name: self._of_text(text) for name, text in texts.items()}
        plain = {found[name] for name in found if _PLAIN.fullmatch(name)} - {""}
        return joined(plain, "AND") if plain else joined(set(found.values()), "OR")

    def _of_text(self, text: str) -> str:
        if text not in self._known:
            self._left -= len(text)
            within = self._left >= 0
            self._known[text] = license_of_text(text, self._min_similarity) if within else ""
        return self._known[text] if self._left >= 0 else NO_ASSERTION


def license_of_text(text: str, min_similarity: float) -> str:
    """The licence of one text; empty if it only points at another, or only adds an exception."""
    found = recognise(text, min_similarity)
    if found != NO_ASSERTION:
        return "" if found.endswith("-exception") and " " not in found else found
    words = words_of(text)
    if len(words) > _POINTER_WORDS or restricts(" ".join(words)):
        return NO_ASSERTION
    if "SPDX-License-Identifier:" in text:
        return license_of_header(text) or NO_ASSERTION
    reserved = "rights reserved" in text.lower()
    return "" if _POINTER.search(text) and not reserved else NO_ASSERTION


def _of_manifests(manifests: Mapping[str, str]) -> str:
    return joined({license_of_manifest(name, text) for name, text in manifests.items()}, "AND")


def _by_folder(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    folders: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = text
    return folders

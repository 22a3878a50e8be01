"""Examples in this package's own formats, made from the corpus by its own stages.

So the starter knows the formats, and what an adapter gains on a repository is the repository.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.models.starter.recipe.corpus import Document
from repo_tune_pipeline.records import LedgerEntry, SftExample, Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings, SftSettings, configs_dir
from repo_tune_pipeline.sft import load_packs
from repo_tune_pipeline.sft.links import link
from repo_tune_pipeline.sft.making import make_for_file

SOURCE_BYTES = 16_000_000
"""About so much of the source that isn't held out becomes examples: enough for one pass."""


def make_examples(documents: Iterable[Document], *, heldout: bool) -> list[SftExample]:
    """Examples of the held-out files, or of a part of the others, in a mixed but fixed order."""
    chosen = [each for each in documents if each.heldout is heldout]
    share = 1.0 if heldout else SOURCE_BYTES / max(1, sum(len(each.text) for each in chosen))
    chosen = [each for each in chosen if _is_chosen(each, share)]
    # The stage's own split isn't needed here: whole files were held out before.
    return sorted(_made(chosen), key=lambda each: _sha256(each.meta.id))


def _made(documents: list[Document]) -> Iterator[SftExample]:
    settings = SftSettings()
    packs = load_packs(configs_dir() / "domains", settings.domains)
    for _, group in groupby(documents, key=lambda each: each.distribution):
        chunks = chunk_snapshot(_snapshot(list(group)), ChunkingSettings()).chunks
        links = link(chunks)
        for _path, part in groupby(chunks, key=lambda chunk: chunk.path):
            outcomes = make_for_file(list(part), links, settings=settings, packs=packs)
            yield from (each.example for each in outcomes.made)


def _snapshot(documents: list[Document]) -> Snapshot:
    first = documents[0]
    library = first.distribution == "cpython"
    repo = "python/cpython" if library else f"{first.distribution}/{first.distribution}"
    commit = _sha256(f"{first.distribution} {first.version}")[:40]
    files = tuple(sorted((_file(each, library) for each in documents), key=lambda file: file.path))
    ledger = tuple(LedgerEntry(f.path, f.blob, f.size, f.language, "") for f in files)
    return Snapshot(repo, commit, repo, "", files, ledger)


def _file(document: Document, library: bool) -> SourceFile:
    return SourceFile(
        path=f"Lib/{document.path}" if library else document.path,
        blob=_sha256(document.text)[:40],
        size=len(document.text.encode()),
        language=document.language,
        license=document.license,
        text=document.text,
    )


def _is_chosen(document: Document, share: float) -> bool:
    # There is little enough of other languages to take it all.
    key = _sha256(f"examples:{document.distribution}/{document.path}")
    return int(key[:8], 16) / 2**32 < share or document.language != "Python"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

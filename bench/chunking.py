"""What chunks cost beside the bare parse they rest on.

Usage: python bench/chunking.py [FOLDER]

Reads every file of a known suffix below FOLDER (default: Python's standard library), then times
in turn, in this process, tree-sitter alone and the chunking stage, five times each, and prints
the best of each and their ratio.
"""

from __future__ import annotations

import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from tree_sitter import Parser

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, grammar_of
from repo_tune_pipeline.records import Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings

LANGUAGES = {
    ".go": "Go",
    ".java": "Java",
    ".js": "JavaScript",
    ".py": "Python",
    ".rs": "Rust",
    ".ts": "TypeScript",
    ".tsx": "TSX",
}
ROUNDS = 5
LARGEST = 1_000_000


def snapshot_of(folder: Path) -> Snapshot:
    """All source files below `folder` that aren't installed packages or too large."""
    files: list[SourceFile] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        wanted = path.suffix in LANGUAGES and "site-packages" not in name.parts
        if wanted and path.is_file() and path.stat().st_size <= LARGEST:
            text = path.read_bytes().decode("utf-8", "replace")
            language = LANGUAGES[path.suffix]
            files.append(SourceFile(str(name), "", len(text), language, "", text))
    return Snapshot("bench/chunking", "0" * 40, str(folder), "", tuple(files), ())


def parse_all(snapshot: Snapshot) -> None:
    """Nothing but the parse: text to bytes to a tree that is thrown away."""
    parsers = {name: Parser(grammar_of(name)) for name in CODE_LANGUAGES}
    for file in snapshot.files:
        parsers[file.language].parse(file.text.encode("utf-8"))


def seconds(work: Callable[[], object]) -> float:
    """Processor time, which a busy machine disturbs least."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    default = sysconfig.get_paths()["stdlib"]
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    snapshot = snapshot_of(folder)
    size = sum(file.size for file in snapshot.files) / 1e6
    settings = ChunkingSettings()
    chunks = chunk_snapshot(snapshot, settings).funnel.kept
    bare: list[float] = []
    whole: list[float] = []
    for _ in range(ROUNDS):
        bare.append(seconds(lambda: parse_all(snapshot)))
        whole.append(seconds(lambda: chunk_snapshot(snapshot, settings)))
    print(f"{len(snapshot.files)} files, {size:.1f} MB, {chunks} chunks")
    print(f"parse   {min(bare):7.2f} s  {size / min(bare):6.1f} MB/s")
    print(f"chunks  {min(whole):7.2f} s  {size / min(whole):6.1f} MB/s")
    print(f"ratio   {min(whole) / min(bare):7.2f}")


if __name__ == "__main__":
    main()

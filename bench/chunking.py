"""What chunks cost beside the bare parse they rest on, and what others' splitters cost.

Usage: python bench/chunking.py [FOLDER | GIT_DIR]...

Reads the files of every language that is cut by a grammar: those below a folder (default: Python's
standard library), or those of a git directory's HEAD. Then times in turn, in this process,
tree-sitter alone, the chunking stage and the search for identifiers, and on the first megabytes of
the same files llama-index's and chonkie's code splitters, where they are installed. Each line ends
with the time as a multiple of the parse of the same files.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from tree_sitter import Parser

from repo_tune_pipeline.chunking import chunk_snapshot
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, grammar_of
from repo_tune_pipeline.chunking.stage import names_in
from repo_tune_pipeline.ingestion.languages import language_of_path
from repo_tune_pipeline.records import Snapshot, SourceFile
from repo_tune_pipeline.settings import ChunkingSettings

ROUNDS = 5
PEER_ROUNDS = 2
LARGEST_FILE = 1_000_000
MOST_CHARS = 12_000_000
PEER_CHARS = 3_000_000
PEER_LINES = 40
PEER_CHUNK_CHARS = 2_000

Files = Sequence[SourceFile]


def contents(source: Path) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file below a folder, or in a git directory's HEAD."""
    if (source / "HEAD").is_file() and (source / "objects").is_dir():
        yield from committed(source)
        return
    for path in sorted(source.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(source)), path.read_bytes()


def committed(git_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Likewise, of the commit that a git directory's HEAD names."""
    git = ["git", f"--git-dir={git_dir}"]
    rows = subprocess.check_output([*git, "ls-tree", "-r", "-z", "HEAD"]).split(b"\0")
    entries = [row.split(b"\t", 1) for row in rows if b" blob " in row]
    names = b"\n".join(entry[0].split()[2] for entry in entries)
    data = subprocess.run([*git, "cat-file", "--batch"], input=names, capture_output=True).stdout
    at = 0
    for _mode, path in entries:
        head_end = data.index(b"\n", at)
        kind = data[at:head_end].split()
        at = head_end + 1
        if kind[1] == b"blob":
            yield path.decode("utf-8", "replace"), data[at : at + int(kind[2])]
            at += int(kind[2]) + 1


def snapshot_of(source: Path) -> Snapshot:
    """Source files that are cut by a grammar, without installed packages and too large ones."""
    files: list[SourceFile] = []
    chars = 0
    for path, data in contents(source):
        language = language_of_path(path)
        wanted = language in CODE_LANGUAGES and "site-packages" not in path
        if wanted and len(data) <= LARGEST_FILE and chars < MOST_CHARS:
            text = data.decode("utf-8", "replace")
            chars += len(text)
            files.append(SourceFile(path, "", len(text), language, "", text))
    return Snapshot("bench/chunking", "0" * 40, str(source), "", tuple(files), ())


def parse_all(files: Files) -> None:
    """Nothing but the parse: text to bytes to a tree that is thrown away."""
    parsers = {name: Parser(grammar_of(name)) for name in {file.language for file in files}}
    for file in files:
        parsers[file.language].parse(file.text.encode("utf-8"))


def llama_index(files: Files) -> None:
    """llama-index's CodeSplitter; what it refuses to cut costs it nothing more."""
    from llama_index.core.node_parser import CodeSplitter

    splitters = {
        name: CodeSplitter(
            language=CODE_LANGUAGES[name].grammar,
            chunk_lines=PEER_LINES,
            chunk_lines_overlap=1,
            max_chars=PEER_CHUNK_CHARS,
            parser=Parser(grammar_of(name)),
        )
        for name in {file.language for file in files}
    }
    for file in files:
        try:
            splitters[file.language].split_text(file.text)
        except ValueError:
            continue


def chonkie(files: Files) -> None:
    """chonkie's CodeChunker."""
    from chonkie import CodeChunker

    chunkers = {
        name: CodeChunker(
            language=CODE_LANGUAGES[name].grammar,
            chunk_size=PEER_CHUNK_CHARS,
            tokenizer="character",
        )
        for name in {file.language for file in files}
    }
    for file in files:
        chunkers[file.language].chunk(file.text)


def runs(work: Callable[[], object]) -> bool:
    """Whether a peer is installed, with the grammars that its version expects."""
    try:
        work()
    except ImportError as error:
        print(f"  left out: {error}")
        return False
    return True


def best(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The fewest seconds of processor time, which a busy machine disturbs least, of each."""
    taken: list[list[float]] = [[] for _work in works]
    for _ in range(rounds):
        for work, times in zip(works, taken, strict=True):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return [min(times) for times in taken]


def report(files: Files, named: Mapping[str, Callable[[], object]], rounds: int) -> None:
    """Time each and print it beside the parse."""
    size = sum(len(file.text) for file in files) / 1e6
    bare, *others = best([lambda: parse_all(files), *named.values()], rounds)
    for name, seconds in zip(("parse", *named), (bare, *others), strict=True):
        print(f"  {name:12} {size / seconds:6.1f} MB/s  {seconds / bare:6.2f} x")


def measure(source: Path) -> None:
    """All of one source."""
    snapshot, settings = snapshot_of(source), ChunkingSettings()
    files = snapshot.files
    size = sum(len(file.text) for file in files) / 1e6
    kept = chunk_snapshot(snapshot, settings).funnel.kept
    languages = ", ".join(sorted({file.language for file in files}))
    print(f"{source}: {len(files)} files, {size:.1f} MB, {kept} chunks; {languages}")
    ours = {
        "chunks": lambda: chunk_snapshot(snapshot, settings),
        "identifiers": lambda: [names_in(file.text) for file in files],
    }
    report(files, ours, ROUNDS)
    sample: list[SourceFile] = []
    for file in files:
        if sum(len(each.text) for each in sample) + len(file.text) <= PEER_CHARS:
            sample.append(file)
    peers = {"llama_index": llama_index, "chonkie": chonkie}
    installed = {
        name: partial(work, sample)
        for name, work in peers.items()
        if runs(partial(work, sample[:1]))
    }
    if installed:
        report(sample, installed, PEER_ROUNDS)


def main() -> None:
    """Measure and print."""
    for source in sys.argv[1:] or [sysconfig.get_paths()["stdlib"]]:
        measure(Path(source))


if __name__ == "__main__":
    main()

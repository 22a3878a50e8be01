"""What a data set costs beside the bare parse of the files that it is made from.

Usage: python bench/data.py SOURCE [SOURCE…] [--peers] [--twice]

SOURCE is a repository, folder or archive. In one run, on this machine:

(a) our chunk records beside tree-sitter alone, both in this process, and with --peers beside
    llama-index's CodeSplitter and chonkie's CodeChunker (the extra `bench`), on the same files
    and at most some megabytes of them, since those take long;
(b) source to written data set, all gates on (the starter's tokens, too), on the cores that this
    process may use;
(c) the same again after one file changed;
(d) the same with twice the files (each once more, in another folder with another text);

each as a multiple of the bare parse, or of (b), beside the limit that it should keep; and the
peak memory of (b).
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tree_sitter import Parser

from repo_tune_pipeline.chunking import chunk_snapshot, save_chunks
from repo_tune_pipeline.chunking.languages import CODE_LANGUAGES, grammar_of
from repo_tune_pipeline.ingestion import ingest, save_snapshot
from repo_tune_pipeline.records import Snapshot, SourceFile
from repo_tune_pipeline.settings import STARTER, Settings, configs_dir
from repo_tune_pipeline.sft import Stock, TokenLimit, build_dataset, load_packs

PEER_BYTES = 3_000_000
SEQUENCE_LEN = 1024
_NAME = re.compile(r"\b(?:[a-z]+[A-Z_]|[A-Z][a-z])\w*")
ROUNDS = 3


@dataclass(frozen=True)
class Home:
    """A folder for one measurement's state."""

    root: Path

    def run(self, source: str, settings: Settings, name: str) -> Stock:
        """Source to chunks, as the stages do it."""
        snapshot = ingest(
            source,
            name=name,
            settings=settings.ingestion,
            mirrors=self.root / "mirrors",
            memory=self.root / name / "examined.db",
        )
        place = self.root / name
        save_snapshot(place / "snapshot", snapshot)
        save_chunks(place / "chunks", snapshot, settings.chunking)
        return Stock(name, place / "snapshot", place / "chunks")


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """The best of some rounds, by the clock on the wall."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def parse_all(files: Sequence[SourceFile]) -> None:
    """Text to tree, thrown away: what everything else stands on."""
    parsers: dict[str, Parser] = {}
    for file in files:
        parser = parsers.setdefault(file.language, Parser(grammar_of(file.language)))
        parser.parse(file.text.encode("utf-8", "replace"))


def chunk_all(files: Sequence[SourceFile], settings: Settings) -> None:
    """Text to chunk records, in this process."""
    chunk_snapshot(Snapshot("bench/data", "0" * 40, "", "", tuple(files), ()), settings.chunking)


def peers(files: Sequence[SourceFile]) -> dict[str, Callable[[], None]]:
    """What the peers do with the same files."""
    from chonkie import CodeChunker
    from llama_index.core.node_parser import CodeSplitter
    from tree_sitter_language_pack import get_parser

    names = {language: CODE_LANGUAGES[language].grammar for language in CODE_LANGUAGES}
    used = sorted({file.language for file in files})
    splitters = {
        language: CodeSplitter(
            language=names[language],
            chunk_lines=40,
            chunk_lines_overlap=1,
            max_chars=2_000,
            parser=get_parser(names[language]),
        )
        for language in used
    }
    chunkers = {
        language: CodeChunker(language=names[language], chunk_size=2_000) for language in used
    }

    def split() -> None:
        for file in files:
            try:
                splitters[file.language].split_text(file.text)
            except ValueError:
                continue

    def chunk() -> None:
        for file in files:
            chunkers[file.language].chunk(file.text)

    return {"llama-index CodeSplitter": split, "chonkie CodeChunker": chunk}


def report(what: str, value: float, unit: str, limit: str, note: str = "") -> None:
    """One line: what was measured, and what it should keep below."""
    print(f"{what:<44} {value:>9.3f} {unit:<12} limit {limit:<10} {note}", flush=True)


def written(sources: Sequence[str], folder: Path, twice: bool) -> Path:
    """A folder with the kept text of all sources, once or twice, and a git repository over it."""
    settings = Settings()
    target = folder / "corpus"
    for number, source in enumerate(sources):
        snapshot = ingest(
            source,
            name=f"local/{number}",
            settings=settings.ingestion.model_copy(update={"history_commits": 0}),
            mirrors=folder / "mirrors",
        )
        for copy in range(2 if twice else 1):
            for file in snapshot.files:
                place = target / f"{number}-{copy}" / file.path
                place.parent.mkdir(parents=True, exist_ok=True)
                text = file.text if not copy else _renamed(file.text)
                place.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    for command in (
        ["init", "--quiet"],
        ["add", "--all", "--force"],
        ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "corpus"],
    ):
        subprocess.run(["git", "-C", str(target), *command], check=True)
    return target


def _renamed(text: str) -> str:
    """Other code of the same shape, no near copy of the first: keywords stay, names don't."""
    return _NAME.sub(r"\g<0>Other", text)


def change_one(corpus: Path) -> None:
    """Add two lines to one source file, and commit."""
    suffixes = {".py", ".rs", ".go", ".java", ".res", ".ts", ".js"}
    files = (path for path in sorted(corpus.rglob("*")) if ".git" not in path.parts)
    file = next(path for path in files if path.suffix in suffixes)
    with file.open("a", encoding="utf-8") as stream:
        stream.write("\n\n")
    command = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qam", "one"]
    subprocess.run(["git", "-C", str(corpus), *command], check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--peers", action="store_true", help="measure the peers, too")
    parser.add_argument("--twice", action="store_true", help="measure twice the files, too")
    options = parser.parse_args()
    settings = Settings()
    packs = load_packs(configs_dir() / "domains", settings.sft.domains)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        corpus = written(options.sources, folder, twice=False)
        snapshot = ingest(
            str(corpus), name="local/corpus", settings=settings.ingestion, mirrors=folder
        )
        files = [file for file in snapshot.files if file.language in CODE_LANGUAGES]
        size = sum(len(file.text) for file in files) / 1e6
        everything = sum(len(file.text) for file in snapshot.files) / 1e6
        print(
            f"{len(snapshot.files):,} files, {everything:.1f} MB, {size:.1f} MB parsed by grammar"
        )
        bare = seconds(lambda: parse_all(files), ROUNDS)
        print(f"bare parse {bare:.2f} s, {size / bare:.1f} MB/s")
        ours = seconds(lambda: chunk_all(files, settings), ROUNDS)
        report("(a) our chunk records / bare parse", ours / bare, "x", "1.4")
        if options.peers:
            part = files[:: max(1, int(size * 1e6 // PEER_BYTES))]
            alone = seconds(lambda: parse_all(part), ROUNDS)
            for name, work in peers(part).items():
                try:
                    report(f"    {name} / bare parse", seconds(work) / alone, "x", "-")
                except ImportError as error:
                    print(f"    {name} left out: {error}")

        home = Home(folder / "home")
        counted: list[int] = []

        def whole(source: Path, state: Home) -> None:
            stock = state.run(str(source), settings, "local/corpus")
            made = build_dataset(
                [stock],
                state.root / "datasets",
                settings=settings.sft,
                packs=packs,
                limit=TokenLimit.of(STARTER, SEQUENCE_LEN),
            )
            counted.append(sum(made.tally("by_task").values()))

        full = seconds(lambda: whole(corpus, home))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        report(
            "(b) source to data set / bare parse",
            full / bare,
            "x",
            "3",
            f"{full:.2f} s, {counted[0]:,} examples",
        )
        report("    peak memory of this process", peak, "MiB", "1536")
        change_one(corpus)
        again = seconds(lambda: whole(corpus, home))
        report(
            "(c) after one changed file / (b)",
            again / full,
            "x",
            "0.05",
            f"{again:.2f} s (limit 3)",
        )
        if options.twice:
            double = written(options.sources, folder / "twice", twice=True)
            doubled = seconds(lambda: whole(double, Home(folder / "home2")))
            report("(d) twice the files / (b)", doubled / full, "x", "2.2", f"{doubled:.2f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

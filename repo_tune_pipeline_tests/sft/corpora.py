"""Examples without a repository: what selection judges and the audit reads."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.prints import prints_of_many
from repo_tune_pipeline.sft.selection import Candidate, Selection, select
from repo_tune_pipeline.sft.shown import shown_code
from repo_tune_pipeline.sft.split import Side, Split

HALF = SftSettings(heldout_share=0.5, recent_share=0.2, max_shares={})
FILES: dict[Side, str] = {
    "train": "sft.jsonl",
    "heldout": "heldout.jsonl",
    "recent": "heldout_recent.jsonl",
}


@dataclass(frozen=True)
class Example:
    """One example."""

    input: str
    output: str = ""
    instruction: str = "Continue."
    task: TaskName = "code_completion"
    repo: str = "acme/tools"
    path: str = "src/a.py"
    symbol: str = "run"
    also: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @property
    def code(self) -> str:
        return shown_code(self.task, self.input, self.output)

    def candidate(self) -> Candidate:
        texts = "\0".join((self.instruction, self.input, self.output))
        return Candidate(
            id=self.id,
            task=self.task,
            repo=self.repo,
            path=self.path,
            symbol=self.symbol,
            language="python",
            license="MIT",
            also=self.also,
            quotes=self.quotes,
            key=hashlib.md5(texts.encode("utf-8", "surrogatepass")).digest(),
            shown=prints_of_many([self.code])[0] if self.code else None,
        )

    def row(self) -> dict[str, object]:
        names = ("id", "task", "repo", "path", "symbol")
        meta = {name: getattr(self, name) for name in names}
        texts = {name: _utf8(getattr(self, name)) for name in ("instruction", "input", "output")}
        return {**texts, "meta": meta}


def words(seed: int, count: int) -> list[str]:
    """Words that no other seed has."""
    return [f"w{seed}_{random.Random(f'{seed} {n}').randrange(10**6)}" for n in range(count)]


def split_of(examples: Sequence[Example], settings: SftSettings) -> Split:
    """Files changed in the year that their path begins with, if any."""
    changed = {(one.repo, one.path): f"{one.path[:4]}-01-01" for one in examples}
    return Split(changed, settings)


def selected(
    examples: Sequence[Example],
    settings: SftSettings = HALF,
    *,
    vocabulary: Callable[[str, str], bool] = lambda repo, name: True,
    split: Split | None = None,
) -> Selection:
    """What is selected of the examples."""
    codes = {one.id: one.code for one in examples}
    return select(
        [one.candidate() for one in examples],
        split or split_of(examples, settings),
        settings,
        vocabulary=vocabulary,
        shown_of=lambda ids: {id: codes[id] for id in ids},
    )


def written(folder: Path, examples: Sequence[Example], sides: Mapping[str, Side]) -> Path:
    """A dataset's folder with those examples that have a side."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, name in FILES.items():
        rows = [one.row() for one in examples if sides.get(one.id) == side]
        lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]
        (folder / name).write_bytes(b"".join(lines))
    return folder


def alike_across(
    examples: Sequence[Example], sides: Mapping[str, Side], threshold: float, window: int = 50
) -> tuple[set[str], set[str]]:
    """The ids of train's near copies, and of what shares a window, compared one by one."""
    held = [one for one in examples if sides.get(one.id) in ("heldout", "recent")]
    near: set[str] = set()
    shared: set[str] = set()
    for one in (one for one in examples if sides.get(one.id) == "train"):
        for other in held:
            left, right = _runs(one.code, 5), _runs(other.code, 5)
            if left and right and len(left & right) >= threshold * len(left | right):
                near.add(one.id)
            if _windows(one.code, window) & _windows(other.code, window):
                shared.add(one.id)
    return near, shared


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _tokens(text: str) -> list[str]:
    return re.findall(r"[0-9A-Za-z_\u0080-\U0010ffff]+|[!-/:-@\[-^`{-~]", text)


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    tokens = _tokens(text)
    runs = {tuple(tokens[i : i + length]) for i in range(max(1, len(tokens) - length + 1))}
    return runs if tokens else set()


def _windows(text: str, length: int) -> set[tuple[str, ...]]:
    return {run for run in _runs(text, length) if len(run) == length}

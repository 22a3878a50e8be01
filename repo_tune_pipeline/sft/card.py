"""A data set's card: README.md with the front matter that Hugging Face's tools read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SPLITS = (
    ("train", "train", "sft.jsonl"),
    ("test", "heldout", "heldout.jsonl"),
    ("test_recent", "recent", "heldout_recent.jsonl"),
)
_SIMPLE = re.compile(r"[A-Za-z0-9.+-]+")


def card(manifest: Mapping[str, Any]) -> str:
    """The text of README.md for the data set that `manifest` describes."""
    return f"---\n{_front_matter(manifest)}---\n\n{_body(manifest)}"


def _front_matter(manifest: Mapping[str, Any]) -> str:
    counts = manifest["counts"]
    files = [
        {"split": split, "path": name} for split, side, name in _SPLITS if counts[side]["examples"]
    ]
    total = sum(side["examples"] for side in counts.values())
    front = {
        "configs": [{"config_name": "default", "data_files": files}],
        "license": _licenses(counts),
        "language": ["en"],
        "size_categories": [next((name for most, name in _SIZES if total < most), "n>1M")],
        "task_categories": ["text-generation"],
        "tags": ["code", *sorted({_tag(name) for name in _all(counts, "by_language")})],
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _licenses(counts: Mapping[str, Any]) -> list[str]:
    """Hugging Face's names: SPDX's in lower case; an expression of several is `other`."""
    found = _all(counts, "by_license")
    names = {name.lower() if _SIMPLE.fullmatch(name) else "other" for name in found}
    return sorted("unknown" if name in ("noassertion", "") else name for name in names)


def _all(counts: Mapping[str, Any], key: str) -> set[str]:
    return {name for side in counts.values() for name in side[key]}


def _tag(language: str) -> str:
    return language.lower().replace(" ", "-").replace("++", "pp").replace("#", "sharp")


def _body(manifest: Mapping[str, Any]) -> str:
    counts, settings = manifest["counts"], manifest["settings"]
    tasks = sorted(_all(counts, "by_task"))
    rows = [
        (task, *(counts[side]["by_task"].get(task, 0) for side in ("train", "heldout", "recent")))
        for task in tasks
    ]
    rows.append(("all", *(counts[side]["examples"] for side in ("train", "heldout", "recent"))))
    funnels = [
        (stage, funnel["seen"], funnel["kept"], _reasons(funnel["dropped"]))
        for stage, funnel in manifest["funnels"].items()
    ]
    sources = [(name, commit) for name, commit in manifest["repositories"].items()]
    licenses = [
        (name, sum(side["by_license"].get(name, 0) for side in counts.values()))
        for name in sorted(_all(counts, "by_license"))
    ]
    return "\n".join(
        (
            "# Training examples from source code",
            "",
            "Instruction, input and output, each derivable from the slice of source that its "
            "`meta` names: repository, commit, path, first and last line. Made by "
            "repo_tune_pipeline from the repositories below, without running anything of theirs.",
            "",
            "## Examples",
            "",
            _table(("task", "train", "held out", "held out, recent"), rows),
            "",
            "## Sources",
            "",
            _table(("repository", "commit"), sources),
            "",
            _table(("licence of the source file", "examples"), licenses),
            "",
            "## Split",
            "",
            f"Whole files: {settings['heldout_share']:.0%} by a hash of repository and path; "
            f"beside them the {settings['recent_share']:.0%} that changed last, where there is "
            "history. Of copies (exact, or near with a Jaccard similarity of at least "
            f"{settings['near_duplicate']:g} over token 5-grams) one stays; no run of 50 tokens "
            "of code is in both the training and a held-out file.",
            "",
            "## What was left out, and why",
            "",
            _table(("stage", "seen", "kept", "dropped"), funnels),
            "",
            "Secrets and personal data in the sources were replaced by placeholders before "
            "anything was made from them, and every finished example was scanned again.",
            "",
        )
    )


def _reasons(dropped: Mapping[str, int]) -> str:
    ordered = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in ordered) or "none"


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)

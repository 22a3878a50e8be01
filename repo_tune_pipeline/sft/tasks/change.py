"""A small commit: its message and the old code → the new code; the hunk → the message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.records import Change, TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.tasks.base import Draft, Dropped, Placed, Verdict, short_name
from repo_tune_pipeline.sft.words import words_of

FORMS = (
    'Change this code from {path} in {repo} as the commit "{subject}" asks:',
    'Apply the change "{subject}" to this {language} code from {path} in {repo}:',
    'Rewrite these lines of {path} in {repo} so that they fulfil: "{subject}"',
    'A commit to {repo} is called "{subject}". Make its change to this part of {path}:',
)
MESSAGE_FORMS = (
    "Write the commit message for this change to {path} in {repo}:",
    "Summarise this change to {path} of {repo} as the subject of a commit:",
    "What would be a good commit subject for this {language} change in {repo}?",
    "Name the following change to {path} in {repo} in one line, as a commit does:",
)
MOST_CHANGED = 24
_MIN_SUBJECT_WORDS = 3
_MIN_SHARED = 2
_COMMON = frozenset({"from", "with", "when", "this", "that", "into", "also"})
_NOISE = re.compile(
    r"\b(?:merge|bump|release|version|changelog|wip|typos?|lint|format(?:ting)?|fixup|squash"
    r"|update readme|cleanup|clean up|review|revert|initial commit)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\s*\(?(?:#|gh-|[A-Z]{2,}-)\d+\)?")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Changes:
    """Two examples a hunk that is small and whose message says what it does."""

    name: TaskName = "change"
    version = "1"

    def examples(self, change: Change, repo: str) -> Iterator[Placed]:
        subject = " ".join(_REFERENCE.sub("", change.subject).replace('"', "'").split())
        rows = change.hunk.split("\n")
        removed = [row[1:] for row in rows if row.startswith("-")]
        added = [row[1:] for row in rows if row.startswith("+")]
        if problem := _problem(subject, removed, added):
            yield _placed(change, Dropped(problem))
            return
        old = dedent("\n".join(row[1:] for row in rows if not row.startswith("+")))
        new = dedent("\n".join(row[1:] for row in rows if not row.startswith("-")))
        if any(line.strip() for line in removed):
            yield _placed(change, _draft(change, repo, FORMS, subject, old, new))
        hunk = change.hunk
        yield _placed(change, _draft(change, repo, MESSAGE_FORMS, subject, hunk, subject))


def _problem(subject: str, removed: list[str], added: list[str]) -> str:
    if len(_WORD.findall(subject)) < _MIN_SUBJECT_WORDS or _NOISE.search(subject):
        return "vague_message"
    if not any(line.strip() for line in added) or len(removed) + len(added) > MOST_CHANGED:
        return "unfit_hunk"
    shared = words_of(subject) & words_of("\n".join([*removed, *added]))
    if sum(len(word) > 3 for word in shared - _COMMON) < _MIN_SHARED:
        return "unrelated_message"
    if "".join("".join(removed).split()) == "".join("".join(added).split()):
        return "unfit_hunk"
    return ""


def _draft(
    change: Change, repo: str, forms: tuple[str, ...], subject: str, shown: str, answer: str
) -> Draft:
    form = pick(forms, "change", change.commit, change.path, str(change.start_line))
    instruction = form.format(
        path=change.path, repo=short_name(repo), subject=subject, language=change.language
    )
    return Draft(instruction, shown, answer, "history")


def _placed(change: Change, verdict: Verdict) -> Placed:
    return Placed(
        verdict,
        change.path,
        change.start_line,
        change.end_line,
        symbol="",
        language=change.language,
        license=change.license,
        commit=change.commit,
    )

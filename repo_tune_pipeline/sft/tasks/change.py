"""A small commit: its message and the old code → the new code; the hunk → the message."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.records import Change, TaskName
from repo_tune_pipeline.sft.code import dedent
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.tasks.base import Draft, Dropped, Placed, Verdict, short_name
from repo_tune_pipeline.sft.test_code import is_test_code
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
_MIN_CHANGED = 2
_MIN_FOUND = 0.6
_MOST_UNKNOWN = 2
_COMMON_LIST = """
    fix feat chore refactor added add adds adding use using make made change changed changes update
    updated from with when this that into also for and the not now only new some all its avoid
    allow remove removed improve handle support instead again issue issues bug flow error code
    else return let const null none true false func switch
"""
_COMMON = frozenset(_COMMON_LIST.split())
_ACTION = re.compile(
    r"\b(?:renam|remov|replac|add|us(?:e|ing)\b|mov|mak|implement|migrat|simplif|correct|refactor"
    r"|inlin|extract|convert|switch|access|annotat|declar|delet|drop|pass|rais|return)",
    re.IGNORECASE,
)
_OPEN_ENDED = re.compile(r"\b(?:functionality|logic|support|handling|behaviou?r)\b", re.IGNORECASE)
_NAME = re.compile(r"\b(?:[A-Za-z]+_\w+|[A-Za-z]*[a-z][A-Z]\w*)\b")
_COMMENTS = ("*", "/*", "//", "#", "--")
_DOCUMENTS = re.compile(r"\b(?:docs?|document\w*|comments?|javadoc)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_NOISE = re.compile(
    r"\b(?:merge|bump|release|version|changelog|wip|corrections?|fix(?:es)?$|typos?|lint"
    r"|format(?:ting)?|fixup|squash"
    r"|update readme|cleanup|clean up|review|revert|initial commit)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"^issue\s*#\d+:\s*|\s*\(?(?:#|gh-|[A-Z]{2,}-)\d+\)?")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Changes:
    """The message of a small hunk that says what it does; its new code where both tell it."""

    name: TaskName = "change"
    version = "2"

    def examples(self, change: Change, repo: str) -> Iterator[Placed]:
        subject = " ".join(_REFERENCE.sub("", change.subject).replace('"', "'").split())
        rows = change.hunk.split("\n")
        removed = [row[1:] for row in rows if row.startswith("-")]
        added = [row[1:] for row in rows if row.startswith("+")]
        if problem := _problem(subject, removed, added, change):
            yield _placed(change, Dropped(problem))
            return
        old = dedent("\n".join(row[1:] for row in rows if not row.startswith("+")))
        new = dedent("\n".join(row[1:] for row in rows if not row.startswith("-")))
        if any(line.strip() for line in removed) and _follows(subject, old, added):
            yield _placed(change, _draft(change, repo, FORMS, subject, old, new))
        hunk = change.hunk
        yield _placed(change, _draft(change, repo, MESSAGE_FORMS, subject, hunk, subject))


def _problem(subject: str, removed: list[str], added: list[str], change: Change) -> str:
    if len(_WORD.findall(subject)) < _MIN_SUBJECT_WORDS or _NOISE.search(subject):
        return "vague_message"
    if not any(line.strip() for line in added) or len(removed) + len(added) > MOST_CHANGED:
        return "unfit_hunk"
    changed = [row.strip() for row in (*removed, *added) if row.strip()]
    if all(row.startswith(_COMMENTS) for row in changed) and not _DOCUMENTS.search(subject):
        return "unrelated_message"
    if "".join("".join(removed).split()) == "".join("".join(added).split()):
        return "unfit_hunk"
    path = change.path
    old, new = words_of("\n".join(removed)), words_of("\n".join(added))
    told = _content(subject)
    # One hunk of several, or a test of what was changed elsewhere, doesn't tell the whole.
    found = told & (old | new | words_of(path))
    shown = f"{change.hunk}\n{path}".lower().replace("_", "")
    if any(name.lower().replace("_", "") not in shown for name in _NAME.findall(subject)):
        return "unrelated_message"
    if len(told & (old ^ new)) < _MIN_CHANGED or len(found) < _MIN_FOUND * len(told):
        return "unrelated_message"
    return "unrelated_message" if is_test_code(path) and "test" not in words_of(subject) else ""


def _content(subject: str) -> frozenset[str]:
    """The words of a subject that say what was changed."""
    return frozenset(word for word in words_of(subject) if len(word) > 2) - _COMMON


def _follows(subject: str, old: str, added: list[str]) -> bool:
    """Whether the old code and the subject say what to write: what to do, and with what.

    The new code may hold few words, and no number, that neither of them has.
    """
    text = "\n".join(added)
    known = f"{old}\n{subject}"
    unknown = words_of(text) - words_of(known) - _COMMON
    numbers = set(_NUMBER.findall(text)) - set(_NUMBER.findall(known))
    clear = _ACTION.search(subject) and not _OPEN_ENDED.search(subject)
    return bool(clear) and len(unknown) <= _MOST_UNKNOWN and not numbers


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

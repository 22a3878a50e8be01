"""A repository's outline → its structure, the files of a folder, what a file holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from repo_tune_pipeline.records import NO_ASSERTION, TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.outline import Definition, FileOutline, RepoOutline
from repo_tune_pipeline.sft.prose import listing
from repo_tune_pipeline.sft.sentences import article
from repo_tune_pipeline.sft.tasks.base import Draft, Dropped, Placed, Verdict, short_name
from repo_tune_pipeline.sft.test_code import is_test_code

FORMS = (
    "How is the repository {repo} structured?",
    "Give an overview of the folders of {repo}.",
    "Which top-level folders does {repo} have, and which languages do they hold?",
    "I am new to {repo}. How is its source laid out?",
)
FOLDER_FORMS = (
    "Which source files are in {path} of {repo}?",
    "What does the folder {path} in {repo} contain?",
    "List the modules of {path} in {repo} with what they define.",
    "Give an overview of {path} in {repo}.",
)
FILE_FORMS = (
    "What does the file {path} in {repo} contain?",
    "Which definitions are in {path} of {repo}?",
    "Give an outline of {path} in {repo}.",
    "What will I find in {path} of {repo}?",
)
ENTRY_FORMS = (
    "What are the entry points of {repo}?",
    "Where does execution start in {repo}?",
    "Which files of {repo} are started first?",
    "Which of {repo}'s files hold its entry points?",
)
_MIN_FILES, _MOST_FILES = 2, 15
_MIN_DEFINITIONS, _MOST_DEFINITIONS = 2, 12
_MOST_NAMES = 30
_SHOWN = 5
_DOCUMENTS = frozenset({"Markdown", "reStructuredText", "Jupyter Notebook"})
_ENTRY = re.compile(r"(?:^|/)(?:__main__\.py|main\.(?:py|go|rs|c|cc|cpp|swift|kt))$")


class RepoOverview:
    """One example for the repository, one for its entry points, each folder and each file."""

    name: TaskName = "repo_overview"
    version = "5"

    def examples(self, outline: RepoOutline) -> Iterator[Placed]:
        yield _placed(outline, _structure(outline), ".", outline.files)
        yield _placed(outline, _entry_points(outline), ".", outline.files)
        for folder, files in outline.folders().items():
            yield _placed(outline, _folder(outline, folder, files), folder or ".", files)
        for file in outline.files:
            yield _placed(outline, _file(outline, file), file.path, (file,), file)


def _structure(outline: RepoOutline) -> Verdict:
    folders = outline.top_level()
    top = folders.pop("", [])
    if not folders:
        return Dropped("flat_repository")
    by_size = sorted(folders.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [
        f"- `{folder}/`: {_count(len(files), 'file')} ({_languages(files)})"
        for folder, files in by_size[:_MOST_FILES]
    ]
    if top:
        rows.append(f"- at the top level: {_count(len(top), 'file')} ({_languages(top)})")
    name = short_name(outline.repo)
    head = f"By the source and documents that were read, {name} is laid out like this:"
    return _draft(outline, FORMS, ".", [head, "", *rows])


def _entry_points(outline: RepoOutline) -> Verdict:
    mains = [
        (file, each)
        for file in outline.files
        if _ENTRY.search(file.path)
        for each in file.definitions
        if each.symbol.rpartition(".")[2] == "main" and each.kind == "function"
    ]
    if not mains or len(mains) > _MOST_FILES:
        return Dropped("no_entry_point")
    rows = [
        f"- `{each.symbol}` in `{file.path}` (lines {each.start_line} to {each.end_line})"
        for file, each in mains
    ]
    noun = "entry point" if len(rows) == 1 else "entry points"
    head = f"{short_name(outline.repo)} has the following {noun}:"
    return _draft(outline, ENTRY_FORMS, "entry", [head, "", *rows])


def _folder(outline: RepoOutline, folder: str, files: Sequence[FileOutline]) -> Verdict:
    code = [file for file in files if file.definitions and file.language not in _DOCUMENTS]
    if is_test_code(f"{folder}/"):
        return Dropped("test_code")
    if not folder or not _MIN_FILES <= len(code) <= _MOST_FILES:
        return Dropped("unfit_folder")
    rows = [f"- `{file.path.rpartition('/')[2]}`: {_summary(file)}" for file in code]
    head = f"`{folder}` directly contains these source files, here with their longer definitions:"
    return _draft(outline, FOLDER_FORMS, folder, [head, "", *rows])


def _file(outline: RepoOutline, file: FileOutline) -> Verdict:
    if is_test_code(file.path):
        return Dropped("test_code")
    if file.language in _DOCUMENTS or len(file.definitions) < _MIN_DEFINITIONS:
        return Dropped("few_definitions")
    rows = [
        f"- `{each.symbol}`, {article(each.kind)}, from line {each.start_line}"
        for each in file.definitions[:_MOST_DEFINITIONS]
    ]
    if others := file.definitions[_MOST_DEFINITIONS:]:
        rows.append(f"- further down: {_names(others, _MOST_NAMES)}")
    # What stands on one line is no chunk: a number of definitions would be too small.
    head = f"`{file.path}` is {article(file.language)} file with these longer definitions:"
    about = ["", f"Its header says: {file.about.rstrip(' .:,')}."] if file.about else []
    return _draft(outline, FILE_FORMS, file.path, [head, "", *rows, *about])


def _summary(file: FileOutline) -> str:
    return _names(file.definitions, _SHOWN)


def _names(definitions: Sequence[Definition], limit: int) -> str:
    return listing([each.symbol for each in definitions], limit)


def _languages(files: Sequence[FileOutline]) -> str:
    counts = Counter(file.language for file in files)
    ranked = sorted(counts, key=lambda language: (-counts[language], language))
    return ", ".join(ranked[:3])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _draft(outline: RepoOutline, forms: tuple[str, ...], path: str, rows: list[str]) -> Draft:
    form = pick(forms, "repo_overview", outline.repo, path)
    instruction = form.format(repo=short_name(outline.repo), path=path)
    return Draft(instruction, "", "\n".join(rows), "source")


def _placed(
    outline: RepoOutline,
    verdict: Verdict,
    path: str,
    files: Sequence[FileOutline],
    file: FileOutline | None = None,
) -> Placed:
    return Placed(
        verdict,
        path,
        start_line=1 if file else 0,
        end_line=file.last_line if file else 0,
        symbol="",
        language=file.language if file else "",
        license=_license(files),
        commit=outline.commit,
    )


def _license(files: Sequence[FileOutline]) -> str:
    """The licence under which all `files` together are; NOASSERTION if one has none."""
    found = {file.license or NO_ASSERTION for file in files}
    if NO_ASSERTION in found or not found:
        return NO_ASSERTION
    joined = sorted(f"({one})" if " OR " in one and len(found) > 1 else one for one in found)
    return " AND ".join(joined)

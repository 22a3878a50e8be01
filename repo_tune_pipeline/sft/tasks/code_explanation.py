"""Code without its docs → what it is and does; a name → the fields, cases or props it has."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import TaskName
from repo_tune_pipeline.sft.forms import pick
from repo_tune_pipeline.sft.prose import listing
from repo_tune_pipeline.sft.reference import Reference, reference_of
from repo_tune_pipeline.sft.sentences import article, as_sentence
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict
from repo_tune_pipeline.sft.test_code import is_test_code

FORMS = (
    "Explain the following code from {repo}:",
    "Explain this {language} {noun} from {path} in {repo}:",
    "What does the following code from {repo} do?",
    "Describe what `{symbol}` in {path} of {repo} does:",
)
REFERENCE_FORMS = (
    "Which {what} does `{symbol}` from {path} in {repo} have?",
    "List the {what} of the {noun} `{symbol}` in {path} of {repo}.",
    "What are the {what} of `{symbol}` ({path} in {repo})?",
    "I want to use `{symbol}` from {path} in {repo}. Which {what} are there?",
)
MOST_NAMES = 12
_CALLS = 5
_NOTHING = frozenset({"", "None", "void", "()", "Unit", "unit", "Void"})
_ENOUGH = 2
"""Conditions, errors and bases that an explanation without a docstring must tell."""


class CodeExplanation:
    """Answers from the docstring's first paragraph and from structure, or from structure alone."""

    name: TaskName = "code_explanation"
    version = "7"

    def takes(self, view: ChunkView) -> bool:
        return view.chunk.kind != "section" and view.chunk.part[1] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        problem = "no_docstring" if view.chunk.kind == "module" and not view.paragraph else ""
        structure = structure_sentences(view)
        if problem or view.code_problem:
            yield Dropped(problem or view.code_problem)
        elif not view.paragraph and not _says_enough(view):
            yield Dropped("nothing_to_say")
        else:
            sentences = [_opening(view)]
            if view.paragraph:
                sentences.append(as_sentence(view.paragraph, last_name(view.chunk.symbol)))
            yield Draft(
                instruction=view.instruction(FORMS, self.name),
                input=view.shown,
                output=" ".join([*sentences, *structure]),
                origin="docstring" if view.paragraph else "source",
            )
        found = reference_of(view.chunk, view.code)
        if found and view.symbol and view.links.namesakes[1] == 1:
            yield _reference(view, found)


def structure_sentences(view: ChunkView) -> list[str]:
    """What the code itself shows: bases, members, parameters, calls, what it gives and raises."""
    known = view.facts
    sentences: list[str] = []
    if known.bases:
        sentences.append(f"It derives from {listing(known.bases)}.")
    if known.fields:
        noun = "field" if len(known.fields) == 1 else "fields"
        sentences.append(f"It has the {noun} {listing(known.fields, MOST_NAMES)}.")
    if known.cases:
        sentences.append(f"Its cases are {listing(known.cases, MOST_NAMES)}.")
    if known.members:
        sentences.append(f"It defines {listing(known.members)}.")
    told = as_sentence(view.paragraph).startswith("It returns") if view.paragraph else False
    mixed = pick((True, False), view.chunk.chunk_id, "both") and not told
    both = known.parameters and known.returns and mixed
    is_test = view.chunk.kind == "test"
    if both and not is_test:
        given = _return_sentence(known.returns).removeprefix("It ")
        sentences.append(f"It takes {listing(known.parameters)} and {given}")
    elif known.parameters and not is_test:
        sentences.append(f"It takes {listing(known.parameters)}.")
    sentences.extend(known.branches)
    if calls := call_sentence(view):
        sentences.append(calls)
    if known.returns and not both and not is_test:
        sentences.append(
            f"The return type is `{known.returns}`." if told else _return_sentence(known.returns)
        )
    if untold := [name for name in known.raises if not _is_told(name, known.branches)]:
        verb = "raises" if view.chunk.language in ("Python", "Ruby") else "throws"
        sentences.append(f"It {'also ' if known.branches else ''}{verb} {listing(untold)}.")
    return sentences


def _is_told(raised: str, branches: tuple[str, ...]) -> bool:
    return any(f"s `{raised}`." in sentence for sentence in branches)


def _reference(view: ChunkView, found: Reference) -> Draft:
    chunk = view.chunk
    instruction = view.instruction(REFERENCE_FORMS, "reference", what=found.what)
    where = f"`{chunk.path}`, {view.extent}"
    head = f"`{view.symbol}` ({where}) has {len(found.rows)} {found.what}:"
    rows = [f"- {row}" for row in found.rows]
    return Draft(instruction, "", "\n".join([head, "", *rows]), "source")


def call_sentence(view: ChunkView) -> str:
    """What it calls, the repository's own first and with the files that define them."""
    calls = view.facts.calls
    targets = view.links.callees
    elsewhere: dict[str, list[str]] = {}
    for name in calls:
        if name in targets and targets[name].path != view.chunk.path:
            elsewhere.setdefault(targets[name].path, []).append(name)
    told = [
        f"{listing(names[:_CALLS])} (defined in `{path}`)"
        for path, names in list(elsewhere.items())[:2]
    ]
    others = [name for name in calls if not any(name in names for names in elsewhere.values())]
    room = max(0, _CALLS - sum(len(names[:_CALLS]) for names in list(elsewhere.values())[:2]))
    told += [f"`{name}`" for name in others[:room]]
    if not told:
        return ""
    comma = "," if any(" and " in each for each in told) else ""
    last = f"{comma} and {told[-1]}" if len(told) > 1 else told[-1]
    joined = f"{', '.join(told[:-1])}{last}"
    named = sum(len(names[:_CALLS]) for names in list(elsewhere.values())[:2])
    verb = "uses" if view.chunk.kind == "type" else "calls"
    whole = named + len(others[:room]) == len(calls)
    return f"It {verb} {joined}." if whole else f"Among others, it {verb} {joined}."


def _opening(view: ChunkView) -> str:
    if view.chunk.kind == "module":
        return f"This is the beginning of `{view.chunk.path}`."
    return f"`{_own_name(view)}` is {article(view.noun)} in `{view.chunk.path}`."


def _own_name(view: ChunkView) -> str:
    """The name as the file has it, where others would put the file's name before it."""
    return " ".join(view.chunk.symbol.replace("`", "'").split())


def _return_sentence(returns: str) -> str:
    return "It returns nothing." if returns in _NOTHING else f"It returns `{returns}`."


def _says_enough(view: ChunkView) -> bool:
    """Whether the facts go beyond what anyone sees who reads the code's first lines."""
    known = view.facts
    helps = view.chunk.kind == "test" or is_test_code(view.chunk.path)
    untold = [name for name in known.raises if not _is_told(name, known.branches)]
    return not helps and len(known.branches) + len(untold) + len(known.bases) >= _ENOUGH

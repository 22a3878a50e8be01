"""Code without its docs → what it is, where it is, what it does."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.prose import article, as_sentence, listing
from repo_tune_pipeline.sft.signatures import last_name
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict

FORMS = (
    "Explain the following code from {repo}:",
    "Explain this {language} {noun} from {path} in {repo}:",
    "What does the following code from {repo} do?",
    "Describe what `{symbol}` in {path} of {repo} does:",
)
MOST_NAMES = 12
_CALLS = 5
_ENOUGH = 2
"""Sentences that an explanation without a docstring must have beside the first."""


class CodeExplanation:
    """Answers from the docstring's first paragraph and from structure, or from structure alone."""

    name: TaskName = "code_explanation"
    version = "2"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind != "section" and chunk.part[1] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        problem = "no_docstring" if view.chunk.kind == "module" and not view.paragraph else ""
        structure = structure_sentences(view)
        if problem or view.code_problem:
            yield Dropped(problem or view.code_problem)
        elif not view.paragraph and not _says_enough(view, structure):
            yield Dropped("nothing_to_say")
        else:
            sentences = [_opening(view)]
            if view.paragraph:
                sentences.append(as_sentence(view.paragraph, last_name(view.chunk.symbol)))
            yield Draft(
                instruction=view.instruction(FORMS, self.name),
                input=view.code,
                output=" ".join([*sentences, *structure]),
                origin="docstring" if view.paragraph else "source",
            )


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
    if known.parameters and view.chunk.kind != "test":
        sentences.append(f"It takes {listing(known.parameters)}.")
    if calls := call_sentence(view):
        sentences.append(calls)
    if known.returns and view.chunk.kind != "test":
        sentences.append(_return_sentence(known.returns))
    if known.raises:
        verb = "raises" if view.chunk.language in ("Python", "Ruby") else "throws"
        sentences.append(f"It {verb} {listing(known.raises)}.")
    return sentences


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
    verb = "It uses" if view.chunk.kind == "type" else "It calls"
    return f"{verb} {joined}."


def _opening(view: ChunkView) -> str:
    if view.chunk.kind == "module":
        return f"This is the beginning of `{view.chunk.path}`."
    return f"`{_own_name(view)}` is {article(view.noun)} in `{view.chunk.path}`."


def _own_name(view: ChunkView) -> str:
    """The name as the file has it, where others would put the file's name before it."""
    return " ".join(view.chunk.symbol.replace("`", "'").split())


def _return_sentence(returns: str) -> str:
    nothing = returns in ("None", "void", "()", "Unit", "unit", "Void")
    return "It returns nothing." if nothing else f"It returns `{returns}`."


def _says_enough(view: ChunkView, structure: list[str]) -> bool:
    """Whether structure goes beyond what the name and the parameter list show by themselves."""
    known = view.facts
    if len(known.fields) > 1 or len(known.cases) > 1:
        return True
    if view.chunk.kind == "test" and not view.links.callees:
        return False
    telling = bool(len(known.calls) > 1 or known.raises or len(known.members) > 1)
    return telling and len(structure) >= _ENOUGH

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


class CodeExplanation:
    """Answers from the docstring's first paragraph and from structure, or from structure alone."""

    name: TaskName = "code_explanation"

    def takes(self, chunk: CodeChunk) -> bool:
        return chunk.kind != "section"

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        structure = structure_sentences(view)
        if view.code_problem:
            yield Dropped(view.code_problem)
        elif not view.paragraph and not _says_something(view):
            yield Dropped("nothing_to_say")
        else:
            chunk = view.chunk
            sentences = [f"`{view.symbol}` is {article(view.noun)} in `{chunk.path}`."]
            if view.paragraph:
                sentences.append(as_sentence(view.paragraph, last_name(view.chunk.symbol)))
            yield Draft(
                instruction=view.instruction(FORMS, self.name),
                input=view.code,
                output=" ".join([*sentences, *structure]),
                origin="docstring" if view.paragraph else "source",
            )


def structure_sentences(view: ChunkView) -> list[str]:
    """What the code itself shows: bases, members, parameters, calls, returns, raises."""
    known = view.facts
    named = (
        ("It derives from", known.bases),
        ("It defines", known.members),
        ("It takes", known.parameters),
        ("It calls", known.calls),
    )
    sentences = [f"{verb} {listing(names)}." for verb, names in named if names]
    if known.returns:
        sentences.append(_return_sentence(known.returns))
    if known.raises:
        sentences.append(f"It raises {listing(known.raises)}.")
    return sentences


def _return_sentence(returns: str) -> str:
    return (
        "It returns nothing." if returns in ("None", "void", "()") else f"It returns `{returns}`."
    )


def _says_something(view: ChunkView) -> bool:
    """Whether structure goes beyond what the name and the parameter list show by themselves."""
    known = view.facts
    return bool(known.calls or known.raises or known.members or known.bases)

"""A name → where it is defined, tested and called, and what it calls."""

from __future__ import annotations

from collections.abc import Iterator

from repo_tune_pipeline.records import CodeChunk, TaskName
from repo_tune_pipeline.sft.links import MOST_CALLERS
from repo_tune_pipeline.sft.sentences import article
from repo_tune_pipeline.sft.tasks.base import ChunkView, Draft, Dropped, Verdict, plain_name
from repo_tune_pipeline.sft.test_code import helps_tests, is_test_code

FORMS = (
    "Where is `{symbol}` defined in {repo}?",
    "Which file of {repo} defines `{symbol}`, and at which lines?",
    "Find the {noun} `{symbol}` in {repo}: give its file, lines and signature.",
    "In which file of {repo} does the {noun} `{symbol}` stand?",
)
IN_FILE_FORMS = (
    "At which lines of {path} in {repo} is `{symbol}` defined?",
    "Where in {path} of {repo} is the {noun} `{symbol}`?",
    "Which lines of {path} hold the {noun} `{symbol}` of {repo}?",
    "Find `{symbol}` in {path} of {repo}: give its lines and signature.",
)
TEST_FORMS = (
    "Where are the tests of `{symbol}` in {repo}?",
    "Which tests of {repo} exercise `{symbol}` from {path}?",
    "By which tests is the {noun} `{symbol}` of {repo} covered?",
    "Which tests should I run after changing `{symbol}` in {path} of {repo}?",
)
USED_FORMS = (
    "Which definitions of other files does `{symbol}` in {path} of {repo} call?",
    "What does `{symbol}` ({path} in {repo}) call from other files, and where is that defined?",
    "I want to change `{symbol}` in {path} of {repo}. What does it call in other files?",
    "Where are the definitions in other files of {repo} that `{symbol}` from {path} calls?",
)
CALLER_FORMS = (
    "Which code of {repo} calls `{symbol}` from {path}?",
    "Where is the {noun} `{symbol}` of {repo} called?",
    "I want to change the signature of `{symbol}` in {path} of {repo}. Which callers are there?",
    "Name callers of `{symbol}` ({path} in {repo}) with their files and lines.",
)
_MAX_SIGNATURE = 300
_LEAST_USED, _MOST_USED = 2, 12
_MOST_TESTS = 3


class CodeLocation:
    """Answers name path, lines and kind; a name that isn't unique is asked for with its file."""

    name: TaskName = "code_location"
    version = "7"

    def takes(self, view: ChunkView) -> bool:
        chunk = view.chunk
        return chunk.kind in ("function", "method", "type") and chunk.part[0] == 1

    def examples(self, view: ChunkView) -> Iterator[Verdict]:
        in_repo, in_file = view.links.namesakes
        if in_file > 1 or not view.symbol:
            yield Dropped("ambiguous")
        else:
            forms = FORMS if in_repo == 1 else IN_FILE_FORMS
            instruction = view.instruction(forms, self.name)
            lines = (view.chunk.start_line, view.last_line or view.chunk.end_line)
            yield Draft(instruction, "", _definition(view), "source", lines=lines)
            if in_repo == 1 and not helps_tests(view.chunk, view.links.tests) and view.links.tests:
                yield self._tests(view)
            called = view.chunk.kind != "type" and len(view.links.callers) >= _LEAST_USED
            if in_repo == 1 and called:
                yield self._callers(view)
            used = _used_elsewhere(view)
            if len(used) >= _LEAST_USED:
                yield self._dependencies(view, used)

    def _dependencies(self, view: ChunkView, used: list[tuple[str, CodeChunk]]) -> Draft:
        rows = [
            f"- `{plain_name(target)}` in `{target.path}`, from line {target.start_line}"
            for _, target in used
        ]
        head = f"Among the definitions of other files that `{view.symbol}` calls are:"
        also = tuple(sorted({target.path for _, target in used}))
        instruction = view.instruction(USED_FORMS, "code_location_used")
        return Draft(instruction, "", "\n".join([head, "", *rows]), "source", also=also)

    def _callers(self, view: ChunkView) -> Draft:
        rows = [
            f"- `{plain_name(caller)}` in `{caller.path}`, {_lines(caller)}"
            for caller in view.links.callers
        ]
        where = f"`{view.symbol}` from `{view.chunk.path}`"
        some = f"Among the callers of {where} are:"
        head = some if len(rows) == MOST_CALLERS else f"{where} is called by:"
        also = tuple(sorted({caller.path for caller in view.links.callers} - {view.chunk.path}))
        instruction = view.instruction(CALLER_FORMS, "code_location_callers")
        return Draft(instruction, "", "\n".join([head, "", *rows]), "source", also=also)

    def _tests(self, view: ChunkView) -> Draft:
        found = view.links.tests[:_MOST_TESTS]
        tests = [f"`{plain_name(test)}` ({_lines(test)} of `{test.path}`)" for test in found]
        joined = f"{', '.join(tests[:-1])} and {tests[-1]}" if len(tests) > 1 else tests[0]
        noun = "the test" if len(tests) == 1 else "the tests"
        by = (
            "is called by" if len(found) == len(view.links.tests) else "is called, among others, by"
        )
        answer = f"`{view.symbol}` from `{view.chunk.path}` {by} {noun} {joined}."
        also = tuple(sorted({test.path for test in found} - {view.chunk.path}))
        instruction = view.instruction(TEST_FORMS, "code_location_tests")
        return Draft(instruction, "", answer, "source", also=also)


def _definition(view: ChunkView) -> str:
    chunk = view.chunk
    answer = f"`{view.symbol}` is {article(view.noun)} defined in `{chunk.path}`, {view.extent}."
    signature = view.signature
    if not signature or len(signature) > _MAX_SIGNATURE or "```" in signature:
        return answer
    return f"{answer} Its signature:\n\n```{chunk.language.lower()}\n{signature}\n```"


def _used_elsewhere(view: ChunkView) -> list[tuple[str, CodeChunk]]:
    """What code outside of tests uses of other files, each once; nothing where that is a lot."""
    chunk = view.chunk
    if chunk.part[1] > 1 or chunk.kind == "type" or is_test_code(chunk.path):
        return []
    found = {plain_name(target): target for target in view.links.callees.values()}
    used = [(name, target) for name, target in found.items() if target.path != chunk.path]
    return used if len(used) <= _MOST_USED else []


def _lines(chunk: CodeChunk) -> str:
    if chunk.start_line == chunk.end_line:
        return f"line {chunk.start_line}"
    its = "its " if chunk.part[1] > 1 else ""  # a part of it calls, and no more is known
    return f"{its}lines {chunk.start_line} to {chunk.end_line}"

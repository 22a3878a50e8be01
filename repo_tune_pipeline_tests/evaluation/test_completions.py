import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.evaluation.completions import edit_similarity, judge, window_lines
from repo_tune_pipeline.models.protocol import Answer

REFERENCE = "    total = first + second\n    log(total)\n    return total"


def judged(text: str, lines: int = 3):
    return judge(Answer(text, 10, 10, finished=True), REFERENCE, lines)


def words(text: str) -> int:
    return len(text.split())


def test_the_very_text_is_an_exact_match_whatever_blanks_trail() -> None:
    found = judged("    total = first + second  \n    log(total)\n    return total\n\n")

    assert found.exact
    assert found.similarity == 1.0


def test_an_answer_that_ends_early_loses_by_the_lines_it_lacks() -> None:
    found = judged("    total = first + second")

    assert not found.exact
    assert found.similarity == pytest.approx(22 / len(REFERENCE.strip()))


def test_an_answer_that_runs_on_is_compared_on_the_reference_lines_only() -> None:
    assert judged(REFERENCE + "\n\ndef another():\n    pass").exact


def test_only_lines_that_fit_the_limit_of_tokens_are_compared() -> None:
    assert window_lines(REFERENCE, 5, words) == 1
    assert window_lines(REFERENCE, 6, words) == 2
    assert window_lines(REFERENCE, 8, words) == 3
    assert window_lines(REFERENCE, 1, words) == 1
    assert judged("    total = first + second\n    lo", lines=1).exact


def test_nothing_is_not_alike_to_something() -> None:
    assert judged("").similarity == 0.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_edit_similarity_is_symmetric_between_zero_and_one(first: str, second: str) -> None:
    found = edit_similarity(first, second)

    assert 0.0 <= found <= 1.0
    assert found == edit_similarity(second, first)
    assert (found == 1.0) == (first == second)

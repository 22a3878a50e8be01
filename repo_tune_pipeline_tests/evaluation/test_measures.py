import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.evaluation.measures import Reference, Vocabulary, judge, reference_of
from repo_tune_pipeline.evaluation.measures.completions import edit_similarity, statement_lines
from repo_tune_pipeline_tests.evaluation.worlds import an_example

REFERENCE = "    total = add(\n        first, second\n    )\n    log(total)\n    return total"
VOCABULARY = Vocabulary.of([("src/ledger.py", "def add_entry(book): return openBook(book)")])


def completion(output: str = REFERENCE, **changes):
    return an_example(1, input="def combine(first, second):\n", output=output, **changes)


def words(text: str) -> int:
    return len(text.split())


def judged(answer: str, **changes) -> dict[str, float]:
    example = completion(**changes)
    terms = judge(example, answer, reference_of(example, 100, words), None)
    return {name: above / below for name, (above, below) in terms.items()}


def test_the_reference_itself_has_full_marks() -> None:
    assert judged(f"{REFERENCE}  \n\n") == dict.fromkeys(
        ("exact_match", "edit_similarity", "identifier_f1", "whole_similarity", "parses"), 1.0
    )


def test_the_first_statement_is_compared_and_beside_it_the_whole() -> None:
    found = judged("    total = add(\n        first, second\n    )")

    assert found["exact_match"] == found["edit_similarity"] == found["identifier_f1"] == 1.0
    assert found["whole_similarity"] == pytest.approx(0.714, abs=0.001)
    assert judged(f"{REFERENCE}\n\ndef another():\n    pass")["whole_similarity"] == 1.0


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("return total", 1),
        ("call(\n  one,\n  two[\n 3]\n)\nlater()", 5),
        ("if ready {\n  go()\n}", 1),
        ('say("(")\nlater()', 1),
        ("open(\nnever", 2),
    ],
)
def test_a_statement_ends_where_its_brackets_are_closed(text: str, lines: int) -> None:
    assert statement_lines(text) == lines


def test_identifiers_are_compared_without_keywords_strings_and_order() -> None:
    reference = 'return fetchUser(client, "one")'
    found = judged('return client.fetchUser("other")', output=reference, language="TypeScript")

    assert found["identifier_f1"] == 1.0
    assert judged("return load(client)", output=reference, language="TypeScript")[
        "identifier_f1"
    ] == pytest.approx(0.5)


def test_an_answer_that_breaks_the_code_does_not_parse() -> None:
    assert judged("    total = add(\n")["parses"] == 0.0
    assert judged("    other = add(3)\n")["parses"] == 1.0
    assert "parses" not in judged("let a = 1", language="ReScript")


def test_a_gap_is_judged_with_what_stands_after_it() -> None:
    example = an_example(1, input="def f(x):\n<<<MISSING>>>\n    return y", output="    y = [x]")
    reference = reference_of(example, 100, words)

    assert judge(example, "    y = {x}", reference, None)["parses"] == (1.0, 1.0)
    assert judge(example, "    y = [x", reference, None)["parses"] == (0.0, 1.0)


def test_only_what_can_be_written_in_the_tokens_allowed_is_compared() -> None:
    lines = completion("a b c\nd e f\ng h i")
    assert reference_of(lines, 6, words) == Reference("a b c\nd e f", 2, 1)
    assert reference_of(lines, 1, words).lines == 1
    text = an_example(2, task="documentation", output="one two  three four")
    assert reference_of(text, 3, words) == Reference("one two  three")
    assert reference_of(text, 9, words) == Reference("one two  three four")


def test_texts_get_the_measures_of_texts_and_locations_that_of_paths() -> None:
    text = an_example(1, task="code_explanation", output="It adds two numbers.")
    place = an_example(2, task="code_location", output="`f` is in `src/a.py`, lines 1 to 2.")

    assert judge(text, text.output, Reference(text.output), None) == {
        "chrf": (1.0, 1.0),
        "rouge_l": (1.0, 1.0),
    }
    far = judge(text, "Nothing of the kind", Reference(text.output), None)
    assert far["rouge_l"][0] < far["chrf"][0] < 0.3
    for answer, right in (
        ("It stands in `src/a.py`.", 1.0),
        ("It stands in `src/b.py`.", 0.0),
        ("In `src/a.py` or `src/b.py`.", 0.0),
        ("I don't know.", 0.0),
    ):
        assert judge(place, answer, Reference(place.output), None) == {"path_match": (right, 1.0)}


def test_names_that_the_repository_has_are_grounded_and_invented_ones_are_not() -> None:
    example = an_example(1, task="domain", output="-")
    answer = "`add_entry` in src/ledger.py calls openBook, not close_book in src/other.py; the rest"

    terms = judge(example, answer, Reference("-"), VOCABULARY)

    assert terms["grounding"] == (3.0, 5.0)
    assert judge(example, "plain words", Reference("-"), VOCABULARY)["grounding"] == (0.0, 0.0)


@given(st.text(max_size=60), st.text(max_size=60))
def test_edit_similarity_is_symmetric_between_zero_and_one(first: str, second: str) -> None:
    found = edit_similarity(first, second)

    assert 0.0 <= found <= 1.0
    assert found == pytest.approx(edit_similarity(second, first))
    assert (found == 1.0) == (first == second)


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from(["Python", "Rust", "Nope"]))
def test_any_answer_can_be_judged(answer: str, reference: str, language: str) -> None:
    for task in ("code_completion", "code_location", "domain", "change"):
        example = an_example(1, task=task, output=reference or "x", language=language)
        terms = judge(example, answer, reference_of(example, 20, words), VOCABULARY)
        assert all(0 <= above <= below for above, below in terms.values())

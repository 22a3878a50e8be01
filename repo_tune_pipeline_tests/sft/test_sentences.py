from __future__ import annotations

import pytest

from repo_tune_pipeline.sft.docs import docstring_problem, told
from repo_tune_pipeline.sft.prose import first_paragraph
from repo_tune_pipeline.sft.sentences import article, as_sentence

SENTENCES = [
    ("Deserialize data as JSON.", "It deserializes data as JSON."),
    ("Create and configure an app.", "It creates and configures an app."),
    ("Clear the data and create new tables", "It clears the data and creates new tables."),
    ("Verifies that a queue is empty", "It verifies that a queue is empty."),
    ("Convenience method to get a long", "It is a convenience method to get a long."),
    ("Functional tests for arrays", "It holds functional tests for arrays."),
    ("Unit test for queues", "It is a unit test for queues."),
    ("Called by the runner", "It is called by the runner."),
    ("Should keep the order", "It should keep the order."),
    ("Given a key, returns its value", "Given a key, it returns its value."),
    ("If it was opened, close the store", "If it was opened, it closes the store."),
    ("Called first. Calls `a`. Then calls b", "It is called first. It calls `a`. It then calls b."),
    ("Returns it. By default, uses `x`.", "It returns it. By default, it uses `x`."),
    ("Serialize data and write to a file", "It serializes data and writes to a file."),
    ("If one has to be written, write it", "If one has to be written, it writes it."),
    ("Specify the constructor's arguments", "It specifies the constructor's arguments."),
    ("The name of the cookie", "It is the name of the cookie."),
    ("View decorator that redirects", "It is a view decorator that redirects."),
    ("View the page", "It views the page."),
    ("Error response when it is closed", "It is an error response when it is closed."),
    ("Cache of payments", "Its documentation reads: Cache of payments."),
    ("This is called first", "This is called first."),
    ("The runner calls this", "The runner calls this."),
]


@pytest.mark.parametrize(("paragraph", "sentence"), SENTENCES)
def test_a_paragraph_is_told_about_it_where_that_is_right(paragraph: str, sentence: str) -> None:
    assert as_sentence(paragraph) == sentence


def test_a_name_before_its_description_is_it() -> None:
    assert as_sentence("GenTree will write pages", "GenTree") == "It will write pages."
    assert as_sentence("ErrPrefix return a prefix", "ErrPrefix") == "It returns a prefix."


def test_a_line_that_ends_before_it_had_to_ends_a_sentence() -> None:
    text = "Find the command in the tree\nMeant to be run on the highest node of all nodes."
    assert first_paragraph(text).startswith("Find the command in the tree. Meant to")


def test_links_and_roles_are_read_as_they_are_shown() -> None:
    assert first_paragraph("Call {@link #open()} or {@link A#b}") == "Call `open()` or `A.b`"
    assert first_paragraph("See :exc:`a .b\n.C` first") == "See `a.b.C` first"
    assert first_paragraph("See :meth:`run <app.run>` of :class:`.App`") == "See `run` of `App`"


def test_what_the_code_cannot_tell_is_taken_out_of_docs() -> None:
    javadoc = "Tests of arrays.\n\n@author Ann Other\n@since 1.3\n@param x what"
    assert told(javadoc) == "Tests of arrays.\n\n@param x what"
    rst = "Send it.\n\n.. versionchanged:: 2.2\n    Sends it\n    twice.\n\n:param x: what"
    assert told(rst) == "Send it.\n\n:param x: what"
    assert told("── Building ────\nBuilds it.") == "Building\n\nBuilds it."


@pytest.mark.parametrize(
    "text",
    [
        "Created in response to issue 96. Last I tested, it worked.",
        "For internal use by the runner only",
        "Note: this test verifies the current behaviour",
        "Test for issue 212.",
        "Use this class to work around a wrong delegation, see https://x.org/a/b/issues/1783",
        "This test also ensures that registered factories work",
        "Add the function at the end of the file",
    ],
)
def test_an_authors_memory_is_no_description(text: str) -> None:
    assert docstring_problem(text, "f") == "boilerplate_docstring"


def test_an_article_goes_by_the_sound() -> None:
    assert [article(noun) for noun in ("enum", "unit test", "class")] == [
        "an enum",
        "a unit test",
        "a class",
    ]

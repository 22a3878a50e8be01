from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repo_tune_pipeline.records import CodeChunk, SftExample
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft import build_dataset, load_packs
from repo_tune_pipeline.sft.code import dedent, without_doc
from repo_tune_pipeline.sft.prose import as_sentence, first_paragraph
from repo_tune_pipeline.sft.signatures import parameters, return_type
from repo_tune_pipeline.sft.tasks import code_completion, code_explanation, documentation
from repo_tune_pipeline.sft.tasks.code_completion import split_at
from repo_tune_pipeline.sft.tasks.domain import SECTION_FORMS
from repo_tune_pipeline_tests.sft.making import library, python_chunks, section

PACKS = load_packs(Path(__file__).parents[2] / "configs" / "domains", ["general", "hyperswitch"])
QUEUE = '''class Queue:
    """A queue of jobs with a fixed room."""

    def push(self, job, *, timeout: float = 1.0) -> bool:
        """Add a job at the end.

        Waits until there is room.

        Args:
            job: what to run.
        """
        if self.closed:
            raise QueueClosed(job)
        self.jobs.append(job)
        return wait_for_room(self, timeout)

    def drain(self):
        while self.jobs:
            run(self.jobs.pop(), len(self.jobs))
'''


def examples_of(chunks: list[CodeChunk], *tasks: str) -> list[SftExample]:
    """All examples of `chunks`; a library beside them gives the split something to hold out."""
    settings = SftSettings(tasks=tasks, min_heldout_examples=1)  # pyright: ignore
    dataset = build_dataset(
        [*chunks, *library(60, "filler/filler")], settings=settings, packs=PACKS
    )
    both = [*dataset.train, *dataset.heldout]
    return [example for example in both if example.meta.repo != "filler/filler"]


def by_symbol(examples: list[SftExample]) -> dict[str, SftExample]:
    return {example.meta.symbol: example for example in examples}


def test_an_explanation_tells_name_file_purpose_and_structure() -> None:
    push = by_symbol(examples_of(python_chunks(QUEUE), "code_explanation"))["Queue.push"]
    assert push.output == (
        "`Queue.push` is a method in `pkg/mod.py`. It adds a job at the end. It takes `job` and "
        "`timeout`. It calls `self.jobs.append` and `wait_for_room`. It returns `bool`. It raises "
        "`QueueClosed`."
    )
    assert "Add a job" not in push.input
    assert push.meta.origin == "docstring"


def test_an_explanation_without_docstring_has_structure_only_and_says_so() -> None:
    drain = by_symbol(examples_of(python_chunks(QUEUE), "code_explanation"))["Queue.drain"]
    assert drain.output == (
        "`Queue.drain` is a method in `pkg/mod.py`. It calls `run` and `self.jobs.pop`."
    )
    assert drain.meta.origin == "source"


def test_an_explanation_that_could_only_repeat_the_name_is_not_made() -> None:
    assert not examples_of(
        python_chunks("def size(self):\n    return self.count\n"), "code_explanation"
    )


def test_documentation_is_asked_for_code_that_still_parses_and_never_holds_the_answer() -> None:
    for example in examples_of(python_chunks(QUEUE), "documentation"):
        assert ast.parse(example.input)
        assert example.output not in example.input
        assert example.output.split("\n")[0] not in example.input


@pytest.mark.parametrize(
    ("source", "doc", "language"),
    [
        (
            "/// Adds two numbers together.\npub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}",
            30,
            "Rust",
        ),
        ("/** Adds two numbers together. */ function add(a, b) { return a + b }", 33, "JavaScript"),
    ],
)
def test_a_leading_comment_is_taken_out_whole(source: str, doc: int, language: str) -> None:
    chunk = replace(
        python_chunks("def add(): pass")[0],
        language=language,
        source=source,
        symbol="add",
        signature=source[doc:].strip().split(" {")[0],
        docstring="Adds two numbers together.",
        doc_span=(0, doc),
    )
    (explained,) = examples_of([chunk], "code_explanation")
    assert explained.input.startswith(("pub fn", "function"))
    assert "It takes `a` and `b`." in explained.output
    assert "It adds two numbers together." in explained.output


def test_a_completion_rejoins_to_the_source_without_its_common_indent() -> None:
    chunks = python_chunks(QUEUE)
    made = by_symbol(examples_of(chunks, "code_completion"))
    assert set(made) >= {"Queue.push", "Queue.drain"}
    for chunk in chunks:
        if chunk.symbol in made:
            example = made[chunk.symbol]
            assert example.input + example.output == dedent(chunk.source)
            assert example.input.endswith("\n")
            assert example.output.strip()


@given(
    lines=st.lists(st.text(alphabet=" \tab\r'", max_size=12), min_size=1, max_size=12),
    data=st.data(),
)
def test_any_cut_at_a_line_rejoins_exactly(lines: list[str], data: st.DataObject) -> None:
    source = "\n".join(lines)
    line = data.draw(st.integers(0, len(lines) - 1))
    cut = sum(len(text) + 1 for text in lines[:line])
    prefix, rest = split_at(source, cut)
    assert prefix + rest == dedent(source)
    assert dedent(source).count("\n") == source.count("\n")


@given(
    before=st.text(max_size=30), doc=st.text(min_size=1, max_size=20), after=st.text(max_size=30)
)
def test_taking_docs_out_changes_nothing_but_blanks_around_them(
    before: str, doc: str, after: str
) -> None:
    left = without_doc(before + doc + after, (len(before), len(before) + len(doc)))
    assert left.replace(";", "").split() in (
        (before + after).replace(";", "").split(),
        f"{before} {after}".replace(";", "").split(),
    )


def test_sections_answer_for_their_heading_and_feed_no_other_task() -> None:
    chunk = section("Installing from source", "Clone the repository, then run make install.")
    made = examples_of([chunk], "code_explanation", "code_completion", "documentation", "domain")
    (example,) = made
    assert "Installing from source" in example.instruction
    assert "tools" in example.instruction
    assert example.output == "Clone the repository, then run make install."
    assert (example.meta.task, example.meta.origin) == ("domain", "document")


REFUND = '''def refund_order(order, amount):
    """Send a refund for an order to the customer."""
    return connector.refund(order.payment, amount)
'''
HOOK = '''def dispute_webhook(customer, connector):
    """Tell every connector of the customer about the webhook."""
    connector.send(customer, capture=True)
'''


def test_a_payment_topic_needs_a_payment_repository_or_several_payment_words() -> None:
    at_home = examples_of(python_chunks(REFUND, repo="juspay/hyperswitch"), "domain")
    assert "refunds" in at_home[0].instruction
    assert "`refund_order`" in at_home[0].output
    payment_topics = {topic.title for topic in PACKS[1].topics}
    elsewhere = examples_of(python_chunks(HOOK, repo="acme/chat"), "domain")
    assert not any(title in one.instruction for one in elsewhere for title in payment_topics)
    shop = python_chunks(
        REFUND.replace("order", "payment"), repo="acme/shop", path="merchant/refunds.py"
    )
    assert "refunds" in examples_of(shop, "domain")[0].instruction


def test_paragraphs_of_docs_become_sentences() -> None:
    javadoc = "Returns the {@link Payment} of <p>an order\n@param order the order"
    assert first_paragraph(javadoc) == "Returns the `Payment` of an order"
    assert as_sentence("Returns the payment") == "It returns the payment."
    assert as_sentence("Cache of payments") == "Cache of payments."
    assert as_sentence("Copies x, e.g. for:") == "It copies x, e.g. for."
    assert first_paragraph("Args:\n  x: y") == ""
    assert first_paragraph(":param x: y") == ""
    assert first_paragraph("See\n:py:class:`Job` for more.") == "See `Job` for more."
    assert as_sentence("SetArgs sets the arguments", "SetArgs") == "It sets the arguments."
    assert as_sentence("str: its name") == "Str: its name."
    assert as_sentence("pkg.Name: its name") == "pkg.Name: its name."


SIGNATURES = [
    (
        "Rust",
        "Pool::take",
        "pub async fn take<'a, T: Fn(u8) -> u8>(&'a mut self, mut n: usize, f: T)"
        " -> Result<Vec<T>, Error>\nwhere\n    T: Send",
        ("n", "f"),
        "Result<Vec<T>, Error>",
    ),
    (
        "Go",
        "Pool.Take",
        "func (p *Pool) Take(a, b int, f func(int) error) (int, error) {",
        ("a", "b", "f"),
        "(int, error)",
    ),
    (
        "Java",
        "Pool.take",
        "@Override public <T> List<T> take(final String a, int... b) throws IOException",
        ("a", "b"),
        "List<T>",
    ),
    (
        "TypeScript",
        "take",
        "export const take = async (a?: string, ...b: number[]): Promise<X> =>",
        ("a", "b"),
        "Promise<X>",
    ),
    ("TSX", "Card", "function Card({ title, body }: Props): JSX.Element {", (), "JSX.Element"),
    ("JavaScript", "$take", "function* $take(a = (1, 2), b) {", ("a", "b"), ""),
    ("Go", "Doer.Do", "Do(int, string) error", (), "error"),
    ("Java", "Pool.Pool", "public Pool(int size)", ("size",), ""),
    ("Rust", "broken", "fn broken(a: (", (), ""),
    ("TypeScript", "", "(a: string)", (), ""),
]


@pytest.mark.parametrize(("language", "symbol", "signature", "names", "returns"), SIGNATURES)
def test_signatures_are_read_or_left_alone(
    language: str, symbol: str, signature: str, names: tuple[str, ...], returns: str
) -> None:
    assert parameters(signature, symbol, language) == names
    assert return_type(signature, symbol, language) == returns


@given(st.text(alphabet="f(<[{}])>,:=-a& \n", max_size=40), st.sampled_from(["Rust", "Go", "Java"]))
def test_no_signature_is_too_odd_to_look_at(signature: str, language: str) -> None:
    assert isinstance(parameters(signature, "a.f", language), tuple)
    assert isinstance(return_type(signature, "a.f", language), str)


def test_no_two_tasks_share_a_wording() -> None:
    questions = {form for pack in PACKS for topic in pack.topics for form in topic.questions}
    kinds = [*(set(module.FORMS) for module in (code_explanation, code_completion, documentation))]
    kinds += [{*SECTION_FORMS}, questions]
    assert len(set.union(*kinds)) == sum(len(forms) for forms in kinds)

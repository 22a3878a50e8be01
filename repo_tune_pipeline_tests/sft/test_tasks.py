from __future__ import annotations

import ast
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from repo_tune_pipeline.records import Change, CodeChunk, SftExample
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.branches import branches_of
from repo_tune_pipeline.sft.code import without_doc
from repo_tune_pipeline.sft.making import make_for_changes, make_for_repository
from repo_tune_pipeline.sft.outline import outline_of
from repo_tune_pipeline.sft.prose import first_paragraph
from repo_tune_pipeline.sft.sentences import as_sentence
from repo_tune_pipeline.sft.tasks import TASK_VERSIONS
from repo_tune_pipeline_tests.sft.making import PACKS, QUEUE, made, python_chunks, section

STORE = '''def wait_for_room(queue, seconds):
    """Block until the queue takes one more job."""
    deadline = clock.now() + seconds
    while queue.is_full():
        clock.sleep_until(deadline)
    return queue.has_room()
'''
CALLER = """def run_all(jobs):
    queue = Queue(jobs)
    ready = wait_for_room(queue, 3)
    return ready
"""
TEST = """def test_wait_for_room_gives_up():
    queue = Queue([])
    assert not wait_for_room(queue, 0)
"""


def repository() -> list[CodeChunk]:
    tested = python_chunks(TEST, path="tests/test_store.py")
    return [
        *python_chunks(QUEUE, path="pkg/queue.py"),
        *python_chunks(STORE, path="pkg/store.py"),
        *python_chunks(CALLER, path="pkg/main.py"),
        *(replace(chunk, kind="test", imports=("pytest",)) for chunk in tested),
    ]


def of(examples: list[SftExample], symbol: str) -> list[SftExample]:
    return [example for example in examples if example.meta.symbol == symbol]


def test_an_explanation_tells_name_file_purpose_structure_and_where_callees_are() -> None:
    (hold,) = of(made(repository(), "code_explanation"), "Queue.hold")
    assert hold.output == (
        "`Queue.hold` is a method in `pkg/queue.py`. It adds a job at the end. It takes `job` and "
        "`timeout` and returns `bool`. If `self.closed`, it raises `QueueClosed`. It calls "
        "`wait_for_room` (defined in `pkg/store.py`) and `self.measure_room`."
    )
    assert "Add a job" not in hold.input
    assert hold.meta.origin == "docstring"


def test_an_explanation_without_docstring_needs_two_branches_or_errors() -> None:
    text = (
        "def drain(queue, store) -> bool:\n    if queue.closed:\n        return None\n"
        "    if store is None:\n        raise StoreMissing(queue)\n    start_job(queue)\n"
        "    return close_store(store, queue.room)\n"
    )
    (drain,) = made(python_chunks(text), "code_explanation")
    assert "If `queue.closed`, it returns `None`. If `store is None`, it raises" in drain.output
    assert drain.meta.origin == "source"
    assert not made(python_chunks(text.replace("if queue", "while queue")), "code_explanation")


def test_an_explanation_that_could_only_repeat_the_name_is_not_made() -> None:
    assert not made(python_chunks("def size(self):\n    return self.count\n"), "code_explanation")


def test_a_test_without_docs_is_not_explained() -> None:
    chunks = python_chunks(
        TEST + "    if queue:\n        return None\n", path="tests/test_store.py"
    )
    assert not made([replace(chunk, kind="test") for chunk in chunks], "code_explanation")


BRANCHES = [
    (
        "Java",
        "int take(int n) {\n  if (n < 0) {\n    throw new Closed(n);\n  }\n  if (n == 0) {\n"
        "    return none(n);\n  }\n  return pick(n);\n}",
        ("If `n < 0`, it throws `Closed`.", "If `n == 0`, it returns `none(n)`."),
    ),
    (
        "Go",
        "func f() error {\n\tif err != nil {\n\t\treturn err\n\t}\n\tif n > 1 {\n"
        "\t\treturn nil\n\t}\n\treturn err\n}",
        ("If `n > 1`, it returns `nil`.",),
    ),
    ("Java", "void f() {\n  for (;;) {\n    if (a) {\n      return;\n    }\n  }\n}", ()),
    ("Java", "void f() {\n  if (a) {\n    return;\n  } else {\n    b();\n  }\n}", ()),
    (
        "ReScript",
        "let f = (x, y) => {\n  switch x {\n  | Card(_) => 1\n  | Bank => 2\n  }\n}",
        ("It switches on `x`, with the cases `Card(_)` and `Bank`.",),
    ),
    ("ReScript", "let f = x => {\n  switch x {\n  | Some(_) => 1\n  | None => 2\n  }\n}", ()),
]


@pytest.mark.parametrize(("language", "code", "sentences"), BRANCHES)
def test_branches_are_told_where_they_stand_outermost(
    language: str, code: str, sentences: tuple[str, ...]
) -> None:
    assert branches_of(language, code, None) == sentences


def test_fields_cases_and_props_are_listed_as_written() -> None:
    record = "type card = {\n  number: string, // digits\n  brand?: string,\n  tags: {\n  },\n}"
    variant = "type status =\n  | Pending\n  | Failed(string)"
    props = 'let make = (~id: string, ~onTap: int => unit=_ => (), ~size=?, ~name="a") => {\n}'
    for source, name, rows in (
        (record, "fields", ["`number: string`", "`brand?: string`", "`tags`"]),
        (variant, "cases", ["`Pending`", "`Failed(string)`"]),
        (
            props,
            "props",
            [
                "`id` of type `string`",
                "`onTap` of type `int => unit`, by default `_ => ()`",
                "`size`, optional",
                '`name`, by default `"a"`',
            ],
        ),
    ):
        kind = "function" if name == "props" else "type"
        chunk = rescript(source, "make" if name == "props" else "card", kind=kind)
        chunk = replace(chunk, attributes=("@react.component",) if name == "props" else ())
        (example,) = made([chunk], "code_explanation")
        assert (name in example.instruction, example.input) == (True, "")
        assert example.output.split("\n\n")[1].split("\n") == [f"- {row}" for row in rows]


def test_a_definition_in_parts_is_located_as_a_whole() -> None:
    (one,) = python_chunks("def total(values):\n    return values\n")
    parts = [
        replace(one, chunk_id=f"{n}", part=(n, 3), start_line=10 * n, end_line=10 * n + 9)
        for n in (1, 2, 3)
    ]
    (found,) = made(parts, "code_location")
    assert "lines 10 to 39" in found.output
    assert (found.meta.start_line, found.meta.end_line) == (10, 39)


def test_of_a_type_whose_members_are_chunks_after_it_only_the_beginning_is_told() -> None:
    queue, *methods = python_chunks(QUEUE)
    head = replace(queue, end_line=3)
    found = made([head, *methods], "code_location")
    assert "defined in `pkg/mod.py`, from line 1." in found[0].output


def test_what_helps_tests_is_no_thing_to_be_tested() -> None:
    helper = python_chunks(STORE, path="tests/helpers.py")
    tests = [chunk for chunk in repository() if chunk.kind == "test"]
    assert not made([*helper, *tests], "test_generation")
    assert len(made([*helper, *tests], "code_location")) == 1


def test_an_overview_bears_the_licences_of_all_its_files() -> None:
    chunks = [*python_chunks(STORE, path="pkg/a.py"), *python_chunks(CALLER, path="pkg/b.py")]
    for other, expected in (("Apache-2.0", "Apache-2.0 AND MIT"), ("", "NOASSERTION")):
        files = [chunks[0], replace(chunks[1], license=other)]
        outline = outline_of("acme/tools", "c" * 40, files, chunks)
        outcomes = make_for_repository(outline, settings=SftSettings())
        found = {each.example.meta.path: each.example.meta.license for each in outcomes.made}
        assert found["."] == found["pkg"] == expected


def test_documentation_is_asked_for_code_that_parses_and_never_holds_the_answer() -> None:
    examples = made(repository(), "documentation")
    assert examples
    for example in examples:
        assert ast.parse(example.input)
        assert example.output.split("\n")[0] not in example.input


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


def test_a_location_gives_path_lines_kind_and_the_tests() -> None:
    found = of(made(repository(), "code_location"), "wait_for_room")
    assert found[0].output.startswith(
        "`wait_for_room` is a function defined in `pkg/store.py`, lines 1 to 6."
    )
    assert found[1].output == (
        "`wait_for_room` from `pkg/store.py` is called by the test "
        "`test_wait_for_room_gives_up` (lines 1 to 3 of `tests/test_store.py`)."
    )


def test_a_name_with_several_definitions_is_asked_for_with_its_file() -> None:
    text = "def load():\n    return read_all()\n"
    chunks = [*python_chunks(text, path="a.py"), *python_chunks(text, path="b.py")]
    examples = made(chunks, "code_location")
    assert [example.meta.path in example.instruction for example in examples] == [True, True]


def test_usage_is_the_real_call_of_another_function() -> None:
    usages = of(made(repository(), "api_usage"), "wait_for_room")
    main = next(example for example in usages if example.meta.path == "pkg/main.py")
    assert main.output == (
        "`run_all` uses it in `pkg/main.py`, lines 2 to 4:\n\n```python\n"
        "queue = Queue(jobs)\nready = wait_for_room(queue, 3)\nreturn ready\n```"
    )
    assert (main.meta.start_line, main.meta.end_line) == (2, 4)


def test_a_test_answers_for_the_function_whose_name_it_bears() -> None:
    (example,) = made(repository(), "test_generation")
    assert example.meta.symbol == "wait_for_room"
    assert "pytest" in example.instruction
    assert example.output == TEST.rstrip()


def test_a_change_gives_the_new_code_and_the_message() -> None:
    change = Change(
        "c" * 40,
        "2026-01-01",
        "Add a deadline to wait_for_room instead of sleep (#12)",
        "",
        "pkg/store.py",
        "Python",
        "MIT",
        " def wait_for_room(queue):\n-    sleep()\n+    wait_until(deadline)",
        1,
        2,
    )
    vague = dataclasses.replace(change, subject="Fix some things here")
    outcomes = make_for_changes([change, vague], "acme/tools", settings=SftSettings())
    apply, message = (each.example for each in outcomes.made)
    assert "Add a deadline to wait_for_room" in apply.instruction
    assert apply.input == "def wait_for_room(queue):\n    sleep()"
    assert apply.output == "def wait_for_room(queue):\n    wait_until(deadline)"
    assert message.output == "Add a deadline to wait_for_room instead of sleep"
    assert [each.reason for each in outcomes.rejections] == ["unrelated_message"]


def test_an_overview_lists_folders_files_and_definitions() -> None:
    chunks = repository()
    files = [replace(chunk, symbol="") for chunk in {c.path: c for c in chunks}.values()]
    outline = outline_of("acme/tools", "c" * 40, files, chunks)
    outcomes = make_for_repository(outline, settings=SftSettings())
    answers = {each.example.meta.path: each.example.output for each in outcomes.made}
    assert "- `pkg/`: 3 files (Python)" in answers["."]
    assert "- `main.py`: `run_all`" in answers["pkg"]


def test_sections_answer_for_their_heading_and_change_logs_for_their_release() -> None:
    text = "Clone the repository, then run make install as root."
    (example,) = made([section("Installing from source", text)], "documentation")
    assert "Installing from source" in example.instruction
    assert example.output == text
    log = section("1.4.0 > Bug Fixes", "- refunds of partial captures work", path="CHANGELOG.md")
    (example,) = made([log], "documentation")
    assert "version 1.4.0 (bug fixes)" in example.instruction


REFUND = '''def refund_order(order, amount):
    """Send a refund for an order to the customer."""
    return connector.refund(order.payment, amount)
'''


def test_a_payment_topic_needs_a_payment_repository_or_several_payment_words() -> None:
    (at_home,) = made(python_chunks(REFUND, repo="juspay/hyperswitch"), "domain")
    assert "refunds" in at_home.instruction
    assert "`refund_order`" in at_home.output
    assert not made(python_chunks(REFUND.replace("refund", "call"), repo="acme/chat"), "domain")


def test_paragraphs_of_docs_become_sentences() -> None:
    javadoc = "Returns the {@link Payment} of <p>an order\n@param order the order"
    assert first_paragraph(javadoc) == "Returns the `Payment` of an order"
    assert as_sentence("Returns the payment") == "It returns the payment."
    assert as_sentence("A cache of payments") == "It is a cache of payments."
    assert as_sentence("Copies x, e.g. for:") == "It copies x, e.g. for."
    assert first_paragraph("Args:\n  x: y") == ""
    assert first_paragraph("See\n:py:class:`Job` for more.") == "See `Job` for more."
    assert as_sentence("SetArgs sets the arguments", "SetArgs") == "It sets the arguments."


def test_no_two_tasks_share_a_wording() -> None:
    forms: list[str] = [form for pack in PACKS for topic in pack.topics for form in topic.questions]
    forms = list(dict.fromkeys(forms))
    for task in TASK_VERSIONS:
        module = __import__(f"repo_tune_pipeline.sft.tasks.{task}", fromlist=["x"])
        groups = [value for name, value in vars(module).items() if name.endswith("FORMS")]
        assert groups
        assert all(len(group) >= 4 for group in groups)
        forms += [form for group in groups for form in group]
    assert len(forms) == len(set(forms))


def rescript(source: str, symbol: str, kind: str = "function") -> CodeChunk:
    (chunk,) = python_chunks("def f(): pass", path="src/Card.res")
    return replace(
        chunk,
        language="ReScript",
        kind=kind,  # pyright: ignore[reportArgumentType]
        symbol=symbol,
        source=source,
        signature=source.split("\n")[0],
        end_line=1 + source.count("\n"),
        cut_points=(),
        callees=(),
    )

"""What an answer must not be: cut apart, a guess, or about something else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from repo_tune_pipeline.records import Change, CodeChunk, TaskName
from repo_tune_pipeline.settings import SftSettings
from repo_tune_pipeline.sft.links import link
from repo_tune_pipeline.sft.making import make_for_changes
from repo_tune_pipeline.sft.sections import read_section
from repo_tune_pipeline.sft.signatures import labelled
from repo_tune_pipeline.sft.tasks.base import one_line
from repo_tune_pipeline.sft.tasks.test_generation import is_test_of
from repo_tune_pipeline_tests.sft.making import python_chunks, section
from repo_tune_pipeline_tests.sft.test_tasks import made, rescript

TARGET = "def measure_room(queue, seconds):\n    return queue.measure(seconds)\n"


def usage(caller: str) -> list[str]:
    chunks = [*python_chunks(TARGET, path="pkg/room.py"), *python_chunks(caller, path="pkg/a.py")]
    return [example.output for example in made(chunks, "api_usage")]


def test_a_use_is_never_a_line_that_goes_on_with_another() -> None:
    text = "def f(q):\n    return (q\n        .put(measure_room(q, 1)),\n    )\n"
    (caller,) = python_chunks(text, path="pkg/a.py")
    chunks = [*python_chunks(TARGET, path="pkg/room.py"), replace(caller, cut_points=())]
    assert not made(chunks, "api_usage")


def test_a_use_in_a_condition_is_shown_with_its_block() -> None:
    (answer,) = usage(
        "def f(queue):\n    if measure_room(queue, 3) > 2:\n        queue.close_all()\n"
        "        return queue\n    return None\n"
    )
    assert "if measure_room(queue, 3) > 2:\n    queue.close_all()\n    return queue" in answer


def test_an_element_is_shown_with_its_closing_tag() -> None:
    target = replace(rescript("let make = () => {\n  x\n}", "make"), path="src/Banner.res")
    for closing, expected in (("/>", 1), (">\n    {child}", 0)):
        element = f"<Banner title message={{text}} kind=Warning size=3{closing}"
        caller = rescript(f"let f = () => {{\n  let title = text\n  {element}\n}}", "f")
        caller = replace(caller, chunk_id="c", callees=("Banner.make",), path="src/F.res")
        assert len(made([target, caller], "api_usage")) == expected


def test_a_fixture_is_not_the_module_spelled_like_it() -> None:
    (logout,) = python_chunks("def logout():\n    return go()\n", path="app/auth.py")
    text = "def test_logout(auth):\n    x = 1\n    auth.logout()\n"
    (test,) = python_chunks(text, path="tests/test_auth.py")
    assert not link([logout, test])[logout.chunk_id].callers
    assert link([logout, replace(test, imports=("app.auth",))])[logout.chunk_id].callers


def test_an_imported_module_is_not_the_class_spelled_like_it() -> None:
    text = "class Flask:\n    def url_for(self, name):\n        return self.make(name)\n"
    method = next(c for c in python_chunks(text, path="flask/app.py") if c.kind == "method")
    helper, *_ = python_chunks("def url_for(n):\n    return app.url_for(n)\n", path="flask/h.py")
    text = "def login(user):\n    where = flask.url_for('x')\n    return redirect(where)\n"
    (caller,) = python_chunks(text, path="auth.py")
    links = link([method, helper, replace(caller, imports=("flask",))])
    assert [each.symbol for each in links[helper.chunk_id].callers] == ["login"]
    assert not links[method.chunk_id].callers


def test_a_plain_import_is_not_of_a_module_inside_a_package() -> None:
    (own,) = python_chunks("def loads(s):\n    return read(s)\n", path="src/app/json/read.py")
    (user,) = python_chunks("def load(s):\n    return json.loads(s)\n", path="tests/test_s.py")
    assert not link([own, replace(user, imports=("json",))])[own.chunk_id].callers
    top = replace(own, path="src/json/read.py")
    assert link([top, replace(user, imports=("json",))])[top.chunk_id].callers


def test_a_variable_is_of_a_nested_type_only_where_the_outer_one_is_named() -> None:
    text = "class Adapter:\n    class Builder:\n        def build(self):\n            return 1\n"
    target = next(c for c in python_chunks(text, path="a.py") if c.symbol.endswith("build"))
    target = replace(target, symbol="Adapter.Builder.build")
    (other,) = python_chunks(
        "def f(builder):\n    x = 1\n    return builder.build()\n", path="b.py"
    )
    named = replace(other, chunk_id="n", source=other.source.replace("x = 1", "x = Adapter(1)"))
    callers = link([target, other, named])[target.chunk_id].callers
    assert [each.chunk_id for each in callers] == ["n"]


def test_a_method_that_calls_its_namesake_is_not_the_only_one_of_its_name() -> None:
    text = "class Group:\n    def make_context(self):\n        return super().make_context()\n"
    method = next(c for c in python_chunks(text, path="a.py") if c.kind == "method")
    text = "def f(command):\n    x = 1\n    return command.make_context(x)\n"
    (caller,) = python_chunks(text, path="b.py")
    assert not link([method, caller])[method.chunk_id].callers
    alone = replace(method, callees=())
    assert link([alone, caller])[method.chunk_id].callers


def test_the_next_statement_is_no_arm_and_no_member() -> None:
    body = "".join(f"  | Case{n} => compute_part(values, {n}, mode)\n" for n in range(12))
    switch = rescript(f"let f = x => {{\n  switch x {{\n{body}  }}\n}}", "f")
    rows = [m for m, c in enumerate(switch.source) if c == "\n"][1:13]
    switch = replace(switch, cut_points=tuple(row + 1 for row in rows))
    found = made([switch], "code_completion")
    nexts = [e for e in found if "statement" in e.instruction]
    assert found
    assert not nexts


def test_a_rescript_function_is_shown_with_its_arrow() -> None:
    chunk = rescript("let pay = (\n  ~id,\n  ~size=?,\n) => {\n  id\n}", "pay")
    chunk = replace(chunk, signature="let pay = (\n  ~id,\n  ~size=?,\n)")
    (found,) = made([chunk], "code_location")
    assert "```rescript\nlet pay = (~id, ~size=?) =>\n```" in found.output
    assert one_line('f( a, b="( x", )') == 'f(a, b="( x")'


def test_a_default_after_a_type_with_brackets_is_a_default() -> None:
    assert labelled("let f = (~all: array<hoc>=[], ~go: int => unit=_ => ())", "f") == (
        ("all", "array<hoc>", "[]"),
        ("go", "int => unit", "_ => ()"),
    )


LONG = "    total_{n} = compute_part(values, {n}, mode=total_{m})\n"


def test_a_long_beginning_is_cut_where_a_statement_begins() -> None:
    body = "".join(
        f"    total_{n} = compute_part(\n        values,\n        {n},\n    )\n" for n in range(30)
    )
    examples = made(python_chunks(f"def total(values):\n{body}"), "code_completion")
    cut = [example.input.split("# …\n")[1] for example in examples if "# …\n" in example.input]
    assert cut
    assert all(shown.startswith("    total_") for shown in cut)


def test_docs_that_span_their_line_end_hide_no_line_of_code() -> None:
    body = "".join(LONG.format(n=n, m=n - 1) for n in range(30))
    (one,) = python_chunks(f"def total(values):\n{body}")
    docs = "# Add up.\n" * 150
    starts = tuple(cut + len(docs) for cut in one.cut_points)
    chunk = replace(one, source=docs + one.source, doc_span=(0, len(docs)), cut_points=starts)
    shown = [e.input.split("# …\n")[-1] for e in made([chunk], "code_completion")]
    assert any(text.startswith("def total(values):\n") for text in shown)


def test_the_end_of_a_part_is_no_end_of_a_function() -> None:
    body = "".join(LONG.format(n=n, m=n - 1) for n in range(20))
    (one,) = python_chunks(f"def total(values):\n{body}")
    first = replace(one, part=(1, 2))
    ends = [e for e in made([first], "code_completion") if one.source.endswith(e.output)]
    assert not ends


def test_a_single_field_is_no_rest_of_a_type() -> None:
    record = "type card = {\n  number: string,\n  expiryMonth: string,\n  brandName: string,\n}"
    examples = made([rescript(record, "card", kind="type")], "code_completion")
    assert not [example for example in examples if example.output.count(":") < 2]


def test_a_short_member_of_a_type_is_asked_for_only_where_it_is_named_again() -> None:
    fields = ["  final String name;", "  final Integer amount;", "  final Long unusedSomewhere;"]
    uses = ["  int total() {", "    return name.length() + compute(amount);", "  }"]
    source = "\n".join(["class Card {", *fields, *uses, "}"])
    (one,) = python_chunks("class A:\n    b = 1\n", path="A.java")
    ends = [n + 1 for n, c in enumerate(source) if c == "\n"][:4]
    chunk = replace(one, language="Java", symbol="Card", source=source, cut_points=tuple(ends))
    chunk = replace(chunk, signature="class Card", end_line=8, docstring="", doc_span=None)
    outputs = [example.output.strip() for example in made([chunk], "code_completion")]
    assert "final Long unusedSomewhere;" not in outputs


def test_a_beginning_of_a_type_is_shown_with_its_end_marked() -> None:
    text = 'class Queue:\n    """Keep jobs until someone asks."""\n\n    room = measure(3)\n'
    (queue,) = python_chunks(text)
    (method,) = python_chunks("\n\n\n\n\ndef put(job):\n    return job\n")
    inside = replace(method, symbol="Queue.put", kind="method", docstring="")
    (example,) = made([queue, inside], "documentation")
    assert example.input.endswith("room = measure(3)\n\n    # …")


def outcome(subject: str, hunk: str, path: str = "pkg/store.py") -> list[str]:
    change = Change("c" * 40, "2026-01-01", subject, "", path, "Python", "MIT", hunk, 1, 2)
    made = make_for_changes([change], "acme/tools", settings=SftSettings()).made
    return [each.example.output for each in made]


HUNK = " def f(queue):\n-    wait(queue, hideDefault)\n+    wait(queue, hideGeneric)"


def test_a_message_must_be_about_what_the_hunk_changes() -> None:
    assert len(outcome("Rename hideDefault to hideGeneric", HUNK)) == 2
    assert not outcome("Retrieve the queue when waiting", HUNK)
    assert not outcome("chore: hideDefault hideGeneric fixes", HUNK)
    assert not outcome("Rename hideDefault to hideGeneric and noSpace", HUNK)


def test_a_hunk_of_comments_tells_only_what_is_documented() -> None:
    hunk = " def f(queue):\n-    # raises when hideDefault\n+    # raises when hideGeneric"
    assert not outcome("Raise when hideDefault is hideGeneric", hunk)
    assert outcome("Document that hideGeneric raises when hideDefault", hunk)


def test_a_tests_hunk_does_not_tell_what_was_changed_elsewhere() -> None:
    assert not outcome("Rename hideDefault to hideGeneric", HUNK, "tests/test_store.py")


def test_new_code_is_asked_for_only_where_the_message_says_what_to_write() -> None:
    hunk = " def f(queue):\n-    wait(queue)\n+    wait(queue, hide_generic=17)"
    assert outcome("Add hide generic to waiting", hunk) == ["Add hide generic to waiting"]


@pytest.mark.parametrize(
    ("test", "symbol", "expected"),
    [
        ("test_wait_for_room_gives_up", "wait_for_room", True),
        ("test_queue_wait_for_room", "Queue.wait_for_room", True),
        ("test_before_wait_for_room", "wait_for_room", False),
        ("QueueTest.testFailedWait", "Queue.waitForRoom", False),
        ("QueueTest.testWaitRoom", "Queue.waitForRoom", True),
        ("QueueTest.testSizes", "Queue", True),
        ("StoreTest.testSizes", "Queue", False),
    ],
)
def test_a_test_is_of_what_it_is_named_after(test: str, symbol: str, expected: bool) -> None:
    (one,) = python_chunks("def f():\n    a = g()\n    assert a == h()\n", path="pkg/x.py")
    kind = "type" if symbol == "Queue" else "function"
    target = replace(one, symbol=symbol, kind=kind)
    assert is_test_of(replace(one, symbol=test, kind="test"), target) is expected


def test_one_function_gives_its_tests_by_their_names() -> None:
    (target,) = python_chunks(TARGET, path="pkg/room.py")
    text = (
        "def test_measure_room_{0}():\n    room = measure_room(queue, {1})\n"
        "    assert room == {1}\n"
    )
    tests = [
        replace(chunk, kind="test")
        for name, number in (("empty", 0), ("full", 9))
        for chunk in python_chunks(text.format(name, number), path=f"tests/test_{name}.py")
    ]
    examples = made([target, *tests], "test_generation")
    for example, name in zip(examples, ("full", "empty"), strict=True):
        assert f"`test_measure_room_{name}`" in example.instruction


def test_a_test_on_a_fixture_of_its_class_is_not_asked_for() -> None:
    (one,) = python_chunks("def f():\n    a = box.g(1)\n    assert a == h()\n", path="pkg/x.py")
    target = replace(one, symbol="g", kind="function")
    test = replace(one, symbol="test_g", kind="test")
    assert not is_test_of(test, target)
    assert is_test_of(replace(test, source=test.source.replace("a =", "box = 1\n    a =")), target)


@pytest.mark.parametrize(
    ("heading", "body"),
    [
        ("Quick start", "There are several ways to get started with it today:"),
        ("Bash completions", "Please refer to [Shell Completions](_index.md) for more details."),
        ("Views", ".. autoclass:: flask.views.View\n   :members:\n   :inherited-members: a b c d"),
    ],
)
def test_a_section_that_only_points_elsewhere_answers_nothing(heading: str, body: str) -> None:
    assert read_section(section(heading, body)).problem == "too_short"


def test_a_section_of_badges_answers_nothing() -> None:
    badge = (
        '<a href="https://x.y/badges?campaign=top"><img src="https://x.y/b.svg" width="250"/></a>'
    )
    body = f"Join the conversation, share ideas, ask anything you like.\n\n{badge}\n{badge}"
    assert read_section(section("Community", body)).problem == "mostly_markup"
    assert not read_section(section("Community", f"{body} {body.split(chr(10))[0] * 8}")).problem


def test_a_release_is_told_with_its_whole_number_and_without_hashes() -> None:
    body = "- refunds of partial captures work ([#12](https://x.y/12)) ([f7ce161](https://x.y/f7))"
    found = read_section(section("2025.04.10.03 > Bug Fixes", body, path="CHANGELOG.md"))
    assert found.release == "version 2025.04.10.03 (bug fixes)"
    assert found.body == "- refunds of partial captures work (#12)"


def test_an_annotation_is_no_interface() -> None:
    (one,) = python_chunks("class A:\n    b = 1\n    c = 2\n", path="A.java")
    chunk = replace(one, language="Java", signature="public @interface A", symbol="A")
    (found,) = made([chunk], "code_location")
    assert "`A` is an annotation defined" in found.output


def domain(source: str, task: TaskName = "domain") -> list[CodeChunk | str]:
    return [example.output for example in made(python_chunks(source, repo="acme/chat"), task)]


def test_one_word_of_a_topic_is_not_enough_away_from_home() -> None:
    docs = '"""Create the link of a chapter in the guide."""'
    text = f"def create_url(part):\n    {docs}\n    return part\n"
    assert not domain(text)
    both = text.replace("Create the link of", "Build the request header of")
    assert domain(both)


def test_behind_a_long_docstring_the_signature_is_still_shown() -> None:
    docs = "\n".join(
        f"    Line {n} tells at some length what it is that is done here." for n in range(60)
    )
    body = "\n".join(f"    total += measure_{n}(items)" for n in range(6))
    text = f'def total(items):\n    """Count.\n\n{docs}\n    """\n{body}\n    return total\n'
    examples = made(python_chunks(text), "code_completion")
    assert examples
    assert all(e.input.startswith("def total(items)") for e in examples)

"""What retrieval may give in an evaluation: never the answer itself."""

from repo_tune_pipeline.evaluation.contexts import retrieved
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.retrieval import Hit
from repo_tune_pipeline_tests.evaluation.worlds import COMMIT, World, an_example

OUTPUT = "    total = first + second\n    return total_of_everything(total)"


def hit(path: str, source: str = "def helper():\n    pass", **changes: str) -> Hit:
    told = {"repo": "acme/ledger", "commit": COMMIT, "symbol": "helper", "language": "Python"}
    return Hit(**{**told, **changes}, path=path, start_line=1, end_line=2, score=1.0, source=source)


def given(world: World, example, hits, **limits):
    reader = load_local_model(world.base)
    context = retrieved(
        [example],
        lambda question: hits,
        reader,
        **{"limit": 3, "max_tokens": 24, **limits},
    )
    return context, reader


def test_passages_stand_below_the_question_with_their_sources(world: World) -> None:
    example = an_example(1, path="src/a.py", output=OUTPUT)
    context, _ = given(world, example, [hit("src/b.py"), hit("src/c.py")])

    assert context.input(example).startswith(example.input)
    assert "def helper():" in context.input(example)
    assert context.sources(example) == (
        "acme/ledger src/b.py:1-2 helper",
        "acme/ledger src/c.py:1-2 helper",
    )


def test_the_file_of_a_completion_and_copies_of_its_answer_are_left_out(world: World) -> None:
    example = an_example(1, path="src/a.py", output=OUTPUT)
    copy = f"def other():\n    x = 1\n{OUTPUT.replace('    ', chr(9))}"
    hits = [hit("src/a.py"), hit("src/b.py", copy), hit("src/a.py", repo="other/ledger")]

    context, _ = given(world, example, hits)

    assert context.sources(example) == ("other/ledger src/a.py:1-2 helper",)
    assert context.counts["passages_left_out"] == 2


def test_the_place_that_is_asked_for_may_be_found(world: World) -> None:
    example = an_example(1, task="code_location", path="src/a.py", output="`f` is in `src/a.py`.")

    context, _ = given(world, example, [hit("src/a.py")])

    assert context.sources(example) == ("acme/ledger src/a.py:1-2 helper",)


def test_there_is_room_for_the_answer_whatever_was_found(world: World) -> None:
    example = an_example(1, path="src/a.py", output=OUTPUT * 8)
    long = "\n".join(f"    value_{at} = compute({at})" for at in range(400))

    context, reader = given(world, example, [hit("src/b.py", long)])

    asked = Prompt(example.instruction, context.input(example))
    assert context.sources(example)
    assert reader.has_room(asked, reader.count_tokens(example.output))


def test_an_example_for_which_nothing_is_found_is_asked_as_it_is(world: World) -> None:
    example = an_example(1, path="src/a.py", output=OUTPUT)

    context, _ = given(world, example, [])

    assert context.input(example) == example.input
    assert context.counts["examples_without"] == 1

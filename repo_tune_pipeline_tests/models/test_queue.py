"""Many questions to one local model: batched, bounded, freed while a training needs the device."""

import threading
import time
import weakref

import pytest

from repo_tune_pipeline.errors import BaseModelError, BusyError, UsageError
from repo_tune_pipeline.models.loading import load_local_model
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.models.queue import ModelQueue
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.small_models import build_small_model


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return build_small_model(tmp_path_factory.mktemp("models") / "base")


class Watched:
    """A real model whose batches are counted, and held back while `go` isn't set."""

    def __init__(self, base) -> None:
        self.model = load_local_model(base)
        self.batches: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def answer(self, prompts, *, max_tokens, follow=None):
        self.batches.append(len(prompts))
        assert self.go.wait(60)
        return self.model.answer(prompts, max_tokens=max_tokens, follow=follow)


@pytest.fixture
def watched(base):
    return Watched(base)


def test_answers_are_the_models_own_however_many_ask_at_once(watched):
    queue = ModelQueue(lambda: {"": watched})
    prompts = [Prompt("Explain.", f"def f{number}(): ...") for number in range(20)]
    watched.go.clear()
    answers = [queue.ask(prompt, max_tokens=6) for prompt in prompts]
    watched.go.set()
    found = [answer.result(60) for answer in answers]
    queue.close()
    assert found == watched.model.answer(prompts, max_tokens=6)
    assert max(watched.batches) > 1
    assert sum(watched.batches) == 20


def test_beyond_its_bound_a_question_is_turned_away_with_when_to_come_back(watched):
    queue = ModelQueue(lambda: {"": watched}, most_waiting=3, most_together=1)
    watched.go.clear()
    first = queue.ask(Prompt("Explain."), max_tokens=2)
    while not watched.batches:
        threading.Event().wait(0.01)
    waiting = [queue.ask(Prompt("Explain."), max_tokens=2) for _ in range(3)]
    with pytest.raises(BusyError, match="3 questions wait") as busy:
        queue.ask(Prompt("Explain."), max_tokens=2)
    assert busy.value.retry_after >= 1
    waiting[0].drop()
    assert queue.waiting == 2
    waiting.append(queue.ask(Prompt("Explain."), max_tokens=2))
    watched.go.set()
    assert first.result(60).tokens == 2
    assert waiting[3].result(60).tokens == 2
    assert waiting[2].result(60).tokens == 2
    queue.close()
    assert len(watched.batches) == 4


def test_one_question_that_is_too_long_fails_alone(watched):
    queue = ModelQueue(lambda: {"": watched})
    watched.go.clear()
    answers = [
        queue.ask(Prompt("Explain.", text), max_tokens=4) for text in ("a", "b" * 9_000, "c")
    ]
    watched.go.set()
    assert answers[0].result(60).tokens == 4
    assert answers[2].result(60).tokens == 4
    with pytest.raises(UsageError, match="leaves no room"):
        answers[1].result(60)
    queue.close()


def test_it_is_loaded_once_and_freed_while_a_training_needs_the_device(base):
    loads: list[int] = []
    wanted = threading.Event()

    def load():
        loads.append(threading.get_ident())
        return {"": load_local_model(base)}

    queue = ModelQueue(load, device_wanted=wanted.is_set)
    assert not loads
    for _ in range(2):
        queue.ask(Prompt("Explain."), max_tokens=2).result(60)
    assert len(loads) == 1
    assert loads[0] != threading.get_ident()
    wanted.set()
    with pytest.raises(BusyError, match="training holds the device"):
        queue.ask(Prompt("Explain."), max_tokens=2)
    assert _until(lambda: not queue.loaded)
    wanted.clear()
    queue.ask(Prompt("Explain."), max_tokens=2).result(60)
    assert len(loads) == 2
    queue.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_model_that_nobody_asks_is_freed_when_a_training_needs_the_device(base, fails):
    loaded: list[weakref.ref] = []
    wanted = threading.Event()

    def load():
        model = load_local_model(base)
        loaded.append(weakref.ref(model))
        return {"": model}

    queue = ModelQueue(load, device_wanted=wanted.is_set)
    if fails:
        with pytest.raises(UsageError):
            queue.ask(Prompt("Explain.", "b" * 9_000), max_tokens=2).result(60)
    else:
        queue.ask(Prompt("Explain."), max_tokens=2).result(60)
    assert loaded[0]() is not None
    wanted.set()
    assert _until(lambda: not queue.loaded)
    assert _until(lambda: loaded[0]() is None)
    queue.close()


def _held_back(watched, *, ends: str, device_wanted=lambda: False):
    """A queue with a question under way and one that waits, ended while both are held back."""
    queue = ModelQueue(lambda: {"": watched}, most_together=1, device_wanted=device_wanted)
    watched.go.clear()
    first = queue.ask(Prompt("Explain."), max_tokens=2)
    assert _until(lambda: watched.batches)
    waiting = queue.ask(Prompt("Explain."), max_tokens=2)
    if ends:
        getattr(queue, ends)()
    return queue, first, waiting


def test_what_waits_is_told_to_ask_again_when_it_closes(watched):
    queue, first, waiting = _held_back(watched, ends="close")
    with pytest.raises(BusyError, match="isn't served any longer"):
        waiting.result(60)
    watched.go.set()
    assert first.result(60).tokens == 2
    with pytest.raises(BusyError):
        queue.ask(Prompt("Explain."), max_tokens=2)
    queue.wait_until_freed()
    assert not queue.loaded


def test_what_waits_is_answered_when_it_retires(watched):
    queue, first, waiting = _held_back(watched, ends="retire")
    with pytest.raises(BusyError):
        queue.ask(Prompt("Explain."), max_tokens=2)
    watched.go.set()
    assert first.result(60) == waiting.result(60)
    queue.wait_until_freed()
    assert not queue.loaded


def test_what_waits_is_told_to_ask_again_when_a_training_begins(watched):
    wanted = threading.Event()
    queue, first, waiting = _held_back(watched, ends="", device_wanted=wanted.is_set)
    wanted.set()
    watched.go.set()
    assert first.result(60).tokens == 2
    with pytest.raises(BusyError, match="training holds the device"):
        waiting.result(60)
    assert _until(lambda: not queue.loaded)
    assert len(watched.batches) == 1
    queue.close()


def test_a_model_that_cannot_be_loaded_is_the_askers_error(tmp_path):
    queue = ModelQueue(lambda: {"": load_local_model(tmp_path / "nothing")})
    with pytest.raises(BaseModelError, match="can't be loaded"):
        queue.ask(Prompt("Explain."), max_tokens=2).result(60)
    queue.close()


@pytest.fixture(scope="module")
def writer():
    """The starter, whose answers are text."""
    return Watched(starter_folder())


def test_an_answer_is_told_while_it_is_written_and_ends_when_nobody_waits(writer):
    queue = ModelQueue(lambda: {"": writer})
    parts: list[str] = []
    whole = queue.ask(
        Prompt("Explain.", "def area(width, height):"), max_tokens=40, on_text=parts.append
    ).result(60)
    assert "".join(parts) == whole.text
    assert len(parts) > 10

    heard = threading.Event()
    dropped = queue.ask(
        Prompt("Explain.", "def area(width, height):"),
        max_tokens=900,
        on_text=lambda _: heard.set(),
    )
    assert heard.wait(60)
    dropped.drop()
    assert dropped.result(5).tokens < 900
    queue.close()


def test_an_answer_ends_before_what_it_is_to_stop_at(writer):
    whole = writer.model.answer([Prompt("Explain.", "def area(width, height):")], max_tokens=40)[
        0
    ].text
    stop = whole[12:15]
    queue = ModelQueue(lambda: {"": writer})
    parts: list[str] = []
    asked = queue.ask(
        Prompt("Explain.", "def area(width, height):"),
        max_tokens=40,
        stop=[stop],
        on_text=parts.append,
    )
    answer = asked.result(60)
    queue.close()
    assert answer.text == whole[: whole.index(stop)] == "".join(parts)
    assert answer.finished


def test_two_models_over_one_set_of_weights_answer_side_by_side(base):
    model = load_local_model(base)
    queue = ModelQueue(lambda: {"adapter": model, "base": model.without_adapter()})
    asked = [
        queue.ask(Prompt("Explain."), max_tokens=3, model=name) for name in ("base", "adapter")
    ]
    assert asked[0].result(60) == asked[1].result(60)
    queue.close()


def _until(found, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(found())

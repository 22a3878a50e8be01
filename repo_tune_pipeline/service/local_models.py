"""The local models of each variant: loaded when first asked, and anew for a new champion."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from repo_tune_pipeline import exports, jobs
from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.exports import AdapterVersion
from repo_tune_pipeline.models.asked import Asked, FollowedAnswerer
from repo_tune_pipeline.models.queue import ModelQueue
from repo_tune_pipeline.models.quiet import quietly, stay_offline
from repo_tune_pipeline.service.askable import Made, Wanted
from repo_tune_pipeline.training import machine_facts

ADAPTER, BASE = "fine-tuned", "base"
_LOOK_SECONDS = 2.0

LoadVersion = Callable[[AdapterVersion], Mapping[str, FollowedAnswerer]]
"""Gives the models `fine-tuned` and `base` of an adapter version."""


def load_version(version: AdapterVersion) -> Mapping[str, FollowedAnswerer]:
    """Base and adapter over one set of weights.

    Raises:
        BaseModelError, EvaluationError: they can't be loaded.
    """
    base = version.find_base()
    stay_offline()
    with quietly():
        # Imported here, in the thread that answers: torch and transformers take seconds.
        from repo_tune_pipeline.models.loading import load_local_model

        model = load_local_model(base.reference, version.folder)
    return {ADAPTER: model, BASE: model.without_adapter()}


@dataclass(frozen=True, slots=True)
class Serving:
    """A version and the queue before its models."""

    version: AdapterVersion
    queue: ModelQueue


class LocalModels:
    """One queue a variant. On a GPU its model is freed while a training needs the memory.

    What waits when the champion changes is answered by the one that it was put to; the new one is
    loaded when the old one's memory is free.

    Args:
        home: where adapters lie.
        most_waiting: questions for one variant; more are turned away.
        load: gives the models of a version.
    """

    def __init__(self, home: Home, most_waiting: int, load: LoadVersion = load_version) -> None:
        self._home = home
        self._most_waiting = most_waiting
        self._load = load
        self._serving: dict[str, Serving] = {}
        self._retired: list[ModelQueue] = []
        self._looked = (0.0, False)
        self._changing = threading.Lock()
        self._has_gpu = bool(machine_facts().gpus)

    def of(self, variant: str) -> Serving:
        """The queue of the variant's champion, or of its newest adapter where there is none.

        Raises:
            EmptyInputError: the variant has no adapter.
        """
        version = exports.find_version(self._home, variant)
        with self._changing:
            now = self._serving.get(variant)
            if now is not None and now.version.folder == version.folder:
                return now
            if now is not None:
                now.queue.retire()
                self._retired = [one for one in self._retired if one.at_work]
                self._retired.append(now.queue)
            self._serving[variant] = Serving(version, self._queue(version))
            return self._serving[variant]

    def waiting(self) -> int:
        """Questions that wait, for any variant."""
        return sum(one.waiting for one in self._queues())

    def close(self) -> None:
        """Answer nothing more."""
        for one in self._queues():
            one.close()

    def _queues(self) -> list[ModelQueue]:
        with self._changing:
            return [*self._retired, *(one.queue for one in self._serving.values())]

    def _queue(self, version: AdapterVersion) -> ModelQueue:
        before = tuple(self._retired)

        def load() -> Mapping[str, FollowedAnswerer]:
            for queue in before:
                queue.wait_until_freed()
            return self._load(version)

        return ModelQueue(load, most_waiting=self._most_waiting, device_wanted=self._device_wanted)

    def _device_wanted(self) -> bool:
        if not self._has_gpu:
            return False
        looked, wanted = self._looked
        if time.monotonic() - looked > _LOOK_SECONDS:
            wanted = jobs.is_training(self._home)
            self._looked = (time.monotonic(), wanted)
        return wanted


class LocalModel:
    """One that answers behind a queue."""

    def __init__(self, serving: Serving, wanted: Wanted, max_tokens: int) -> None:
        self._queue = serving.queue
        self._wanted = wanted
        self._max_tokens = max_tokens
        is_base = wanted.kind == BASE
        self.name = base_name(serving.version) if is_base else serving.version.name

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked:
        return self._queue.ask(
            made,
            max_tokens=self._max_tokens,
            model=self._wanted.kind,
            stop=self._wanted.stop,
            on_text=on_text,
        )


def base_name(version: AdapterVersion) -> str:
    """The base model's name, without where it lies."""
    return Path(str(version.run.get("base_model", "base"))).name

"""Models behind servers: opened when first asked, and asked one question a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from anyio import to_thread

from repo_tune_pipeline import answering
from repo_tune_pipeline.answering import OpenedModel, RemoteKind
from repo_tune_pipeline.errors import UnsupportedError
from repo_tune_pipeline.models.asked import Asked
from repo_tune_pipeline.models.protocol import Prompt, Question
from repo_tune_pipeline.service.askable import Made
from repo_tune_pipeline.settings import Settings

_SENDERS = 8
"""Questions to remote models at once."""


class RemoteModels:
    """The remote models that the configuration lets be asked.

    Args:
        settings: of answering.
        environ: where keys are looked up.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._settings = settings
        self._environ = environ
        self._opened: dict[RemoteKind, OpenedModel] = {}
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="remote")

    def open(self, kind: RemoteKind) -> OpenedModel:
        """Connect, the first time, which may take seconds: a library is loaded.

        Raises:
            ConfigError: it may not be asked.
        """
        if kind not in self._opened:
            self._opened[kind] = answering.open_remote(kind, self._settings, self._environ)
        return self._opened[kind]

    async def of(self, kind: RemoteKind, max_tokens: int) -> RemoteModel:
        """One of them, for answers of at most so many tokens. Raises as `open`."""
        opened = self._opened.get(kind)
        if opened is None:
            # In a thread: other questions are to be answered meanwhile.
            opened = await to_thread.run_sync(self.open, kind)
        return RemoteModel(opened, self._senders, max_tokens)

    def close(self) -> None:
        """Ask nothing more."""
        self._senders.shutdown(wait=False, cancel_futures=True)


class RemoteModel:
    """One of them; its answers come whole."""

    def __init__(self, opened: OpenedModel, senders: ThreadPoolExecutor, max_tokens: int) -> None:
        self._opened = opened
        self._senders = senders
        self._max_tokens = max_tokens
        self.name = opened.name

    def has_room(self, prompt: Question, max_tokens: int) -> bool:
        return isinstance(prompt, Prompt) and self._opened.has_room(prompt, max_tokens)

    def ask(self, made: Made, on_text: Callable[[str], None] | None = None) -> Asked:
        asked = Asked()

        def send() -> None:
            if not asked.set_running_or_notify_cancel():
                return
            try:
                prompt = made(self)
                if not isinstance(prompt, Prompt):
                    raise UnsupportedError(  # noqa: TRY301
                        f"{self.name} is asked questions here, and completes no text.",
                        "Ask `fine-tuned` or `base`.",
                    )
                (answer,) = self._opened.answerer.answer([prompt], max_tokens=self._max_tokens)
            except Exception as error:
                asked.set_exception(error)
                return
            if on_text is not None and answer.text:
                on_text(answer.text)
            asked.set_result(answer)

        self._senders.submit(send)
        return asked

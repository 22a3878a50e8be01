"""A streamed answer made inert line by line, before any of it is shown."""

from __future__ import annotations

from repo_tune_pipeline.models.inert import inert


class InertStream:
    """Takes an answer's parts and gives what may be shown of them so far.

    A link can only be told from text once its line is whole, and where cleaning what follows would
    change what was shown already, the rest is held back to the end and shown as code.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._shown_raw = 0
        self._shown = ""

    def add(self, part: str) -> str:
        """The next part; what of the whole can be shown now and wasn't."""
        self._raw += part
        whole_lines = self._raw.rfind("\n") + 1
        if whole_lines <= self._shown_raw:
            return ""
        return self._show(whole_lines) or ""

    def end(self) -> str:
        """What is left to be shown."""
        shown = self._show(len(self._raw))
        if shown is not None:
            return shown
        rest = self._raw[self._shown_raw :]
        return f"\n{inert(_as_code(rest))}"

    def _show(self, until: int) -> str | None:
        clean = inert(self._raw[:until])
        if not clean.startswith(self._shown):
            return None
        new = clean[len(self._shown) :]
        self._shown, self._shown_raw = clean, until
        return new


def _as_code(text: str) -> str:
    fence = "````"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"

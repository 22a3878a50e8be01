"""What a person in the terminal sees; with --json all of it goes to standard error."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

_MARKS = {"started": "…", "unchanged": "=", "finished": "✓"}


class Display:
    """Shows a chain's events as lines and its training as a bar."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self.console = Console(stderr=json, highlight=False)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_bar()

    def stage(self, stage: str, status: str, text: str) -> None:
        """One line for a stage that began, ended, or had nothing to do."""
        self._end_bar()
        note = "unchanged, nothing done: " if status == "unchanged" else ""
        name = stage.replace("_", "-")
        self.line(f"{_MARKS[status]} {name:<14} {note}{text}")

    def progress(self, values: Mapping[str, Any]) -> None:
        """One step of a training."""
        if self._bar is None:
            self._bar = Progress(
                TextColumn("  training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                console=self.console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=values["max_steps"])
        if self._task is not None:
            self._bar.update(self._task, completed=values["step"], description=_speed(values))

    def line(self, text: str) -> None:
        """One line of plain text."""
        self.console.print(text, markup=False, soft_wrap=True)

    def table(self, title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """A table, unless only JSON is wanted."""
        if self._json:
            return
        shown = Table(title=title, title_justify="left")
        for name in header:
            shown.add_column(name, overflow="fold")
        for row in rows:
            shown.add_row(*(_literal(cell) for cell in row))
        self.console.print(shown)

    def result(self, result: Mapping[str, object]) -> None:
        """The command's JSON, if it was asked for."""
        if self._json:
            Console(soft_wrap=True, highlight=False).out(
                orjson.dumps(result, option=orjson.OPT_INDENT_2).decode(), highlight=False
            )

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _speed(values: Mapping[str, Any]) -> str:
    loss, rate, left = values["loss"], values["tokens_per_second"], values["eta_seconds"]
    parts = [
        f"loss {loss:.3f}" if loss is not None else "",
        f"{rate:,.0f} tokens/s" if rate else "",
        f"{int(left) // 60}:{int(left) % 60:02d} left" if left is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _literal(text: str) -> str:
    return text.replace("[", "\\[")

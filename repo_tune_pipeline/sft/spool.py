"""Lines put aside in a temporary file and read back in another order, so that memory stays flat."""

from __future__ import annotations

import mmap
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from repo_tune_pipeline.artifacts import storage_error


class Spool:
    """Numbered lines; gone when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = array("q", [0])

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(prefix=".spool.", dir=self._folder)
        except OSError as error:
            raise storage_error(self._folder, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, line: bytes) -> int:
        """Put one line aside; its number."""
        try:
            self._file.write(line)
        except OSError as error:
            raise storage_error(self._folder, error) from None
        self._starts.append(self._starts[-1] + len(line))
        return len(self._starts) - 2

    def lines(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """The lines with these numbers, in this order."""
        try:
            self._file.flush()
        except OSError as error:
            raise storage_error(self._folder, error) from None
        if not self._starts[-1]:
            return
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            for number in numbers:
                yield view[self._starts[number] : self._starts[number + 1]]

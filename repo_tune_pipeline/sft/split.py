"""Which side of the split a file is on: train, heldout or recent.

A file is held out by a hash of its repository and path: no other file can move it. Of the files
that are left, those that changed last are `recent`, a second held-out side: what the base model
can't have read. With `recent_after` a file's side depends on that file alone, and since its last
change only moves on, it stays there. With `recent_share` it depends on the other files of its
own repository, too: when newer changes come, what isn't among the newest any more goes to train.
So no file ever moves between train and heldout, and other repositories move none.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from repo_tune_pipeline.settings import SftSettings

Side = Literal["train", "heldout", "recent"]
SIDES: tuple[Side, ...] = ("train", "heldout", "recent")
File = tuple[str, str]
"""Repository and path."""


class Split:
    """The sides of all files; `changed` holds the date of each file's last change, or "".

    A file that `changed` doesn't name has no date.
    """

    def __init__(self, changed: Mapping[File, str], settings: SftSettings) -> None:
        self._share = settings.heldout_share
        self._recent = _recent_files(changed, settings)

    def side(self, repo: str, path: str) -> Side:
        side = split_side(repo, path, self._share)
        return "recent" if side == "train" and (repo, path) in self._recent else side


def split_side(repo: str, path: str, heldout_share: float) -> Side:
    """The side of a whole file, by a hash of its repository and path alone.

    So no file is on both sides, and a file stays where it is when others come and go.
    `heldout_share` lies between 0 and 1; that share of many files is held out.
    """
    digest = hashlib.sha256(f"{repo}\0{path}".encode("utf-8", "surrogatepass")).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "heldout" if fraction < heldout_share else "train"


def _recent_files(changed: Mapping[File, str], settings: SftSettings) -> set[File]:
    dated: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for (repo, path), text in changed.items():
        if (date := _date(text)) is not None:
            dated[repo].append((date, path))
    recent: set[File] = set()
    for repo, files in dated.items():
        recent.update((repo, path) for path in _newest(files, settings))
    return recent


def _newest(files: list[tuple[datetime, str]], settings: SftSettings) -> set[str]:
    """The newest paths of one repository, ties by path; none by share if all have one date."""
    after = settings.recent_after
    newest = {path for date, path in files if after is not None and date.date() > after}
    if len({date for date, _ in files}) > 1:
        ordered = sorted(files, key=lambda file: (-file[0].timestamp(), file[1]))
        newest.update(path for _, path in ordered[: int(settings.recent_share * len(files))])
    return newest


def _date(text: str) -> datetime | None:
    """A moment in UTC; None for what isn't an ISO 8601 date."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)

"""Which side of the split a file is on."""

from __future__ import annotations

import hashlib
from typing import Literal

Side = Literal["train", "heldout"]


def split_side(repo: str, path: str, heldout_share: float) -> Side:
    """The side of a whole file, by a hash of its repository and path alone.

    So no file is on both sides, and a file stays where it is when others come and go.
    `heldout_share` lies between 0 and 1; that share of many files is held out.
    """
    digest = hashlib.sha256(f"{repo}\0{path}".encode("utf-8", "surrogatepass")).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    return "heldout" if fraction < heldout_share else "train"

"""Passwords in the form of a `.netrc` file, whose words may stand on several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repo_tune_pipeline.secrets.placeholders import is_template
from repo_tune_pipeline.secrets.scan import Place, Scan

_ENTRY = re.compile(
    r"\b(?:machine\s{1,8}\S{1,100}|default)\s{1,8}login\s{1,8}\S{1,100}\s{1,8}password\s{1,8}"
    r"(?P<v>\S{4,100})",
    re.IGNORECASE | re.ASCII,
)


def netrc_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where the password of an entry stands."""
    if prefilter and not (scan.hits(b"pass") and b"login" in scan.lowered):
        return
    for found in _ENTRY.finditer(scan.text):
        if not is_template(found["v"]):
            yield found.span("v")

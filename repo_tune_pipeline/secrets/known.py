"""detect-secrets' plugins for providers' tokens, run on the lines that could hold one.

The plugins are made here, one by one, so that no settings, allow comments or baseline of a
scanned repository reach them, and none asks a provider whether a token is live. Left out are the
plugins that find nothing beyond the rules of this package, and those for Artifactory, IBM,
Cloudant and SoftLayer, which match plain words or what is found by its name anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from repo_tune_pipeline.secrets.placeholders import PREFIX, is_placeholder
from repo_tune_pipeline.secrets.scan import MIN_RUN, Place, Scan

_PLUGINS = (
    *(("aws", "AWSKeyDetector"), ("gitlab_token", "GitLabTokenDetector")),
    *(("jwt", "JwtTokenDetector"), ("mailchimp", "MailchimpDetector")),
    *(("openai", "OpenAIDetector"), ("telegram_token", "TelegramBotTokenDetector")),
    ("twilio", "TwilioKeyDetector"),
)
_MARKS = (*(b"a3t", b"abia", b"acca", b"akia", b"asia"), b"eyj", b"-us", b"gr1348941", b"t3blbkfj")
_GITLAB = re.compile(rb"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-")
_SHAPES = (re.compile(rb"[AS][CK][a-z0-9]{32}"), re.compile(rb"[0-9]{8}:[0-9A-Za-z_-]{35}"))
_RUN = re.compile(rf"[A-Za-z0-9+/_%-]{{{MIN_RUN}}}")
_PIECE = 1024  # Characters of a line; some plugins take the square of its length.
_AWS_SECRET = 40  # Characters; the word before it must be on the same line.


class _Plugin(Protocol):
    def analyze_string(self, string: str) -> Iterator[str]: ...


def known_places(scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
    """Where a provider's token stands; without `prefilter`, every line is looked at."""
    for start, end in _lines(scan) if prefilter else _all_lines(scan.text):
        for at in range(start, max(end - _PIECE // 2, start + 1), _PIECE // 2):
            piece = scan.text[at : min(at + _PIECE, end)]
            for value in _values(piece.rstrip()):
                for found in re.finditer(re.escape(value), piece):
                    yield at + found.start(), at + found.end()


def _lines(scan: Scan) -> list[Place]:
    found = set[Place]()
    marks = [mark for mark in _MARKS if scan.is_near_run(mark)]
    found.update(scan.lines_with((*marks, *_GITLAB.findall(scan.lowered_gist))))
    for shape in _SHAPES:
        if shape.search(scan.long_gist):
            found.update(scan.line_at(match.start()) for match in shape.finditer(scan.raw))
    long = [run for run in scan.runs if run[1] - run[0] >= _AWS_SECRET]
    found.update(line for line in scan.lines_of(long) if b"aws" in scan.lowered[slice(*line)])
    return sorted(found)


def _all_lines(text: str) -> Iterator[Place]:
    start = 0
    for line in text.split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def _values(line: str) -> set[str]:
    found = {value for plugin in _plugins() for value in plugin.analyze_string(line)}
    return {value for value in found if _RUN.search(value) and not _is_own(value)}


def _is_own(value: str) -> bool:
    """A plugin may match from the middle of a placeholder on, where it is followed by more."""
    return is_placeholder(value) or is_placeholder(PREFIX + value)


@cache
def _plugins() -> tuple[_Plugin, ...]:
    """Imported when first needed: worker processes start often, and few meet a token."""
    return tuple(
        cast(_Plugin, getattr(import_module(f"detect_secrets.plugins.{module}"), name)())
        for module, name in _PLUGINS
    )

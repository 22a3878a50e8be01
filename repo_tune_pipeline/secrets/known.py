"""detect-secrets' plugins for providers' tokens, run on the lines that could hold one.

The plugins are made here, one by one, so that no settings, allow comments or baseline of a
scanned repository reach them, and none asks a provider whether a token is live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Protocol, cast

_PLUGINS = (
    *(("aws", "AWSKeyDetector"), ("azure_storage_key", "AzureStorageKeyDetector")),
    *(("github_token", "GitHubTokenDetector"), ("gitlab_token", "GitLabTokenDetector")),
    *(("jwt", "JwtTokenDetector"), ("mailchimp", "MailchimpDetector"), ("npm", "NpmDetector")),
    *(("openai", "OpenAIDetector"), ("pypi_token", "PypiTokenDetector")),
    *(("sendgrid", "SendGridDetector"), ("slack", "SlackDetector")),
    *(("square_oauth", "SquareOAuthDetector"), ("stripe", "StripeDetector")),
    *(("telegram_token", "TelegramBotTokenDetector"), ("twilio", "TwilioKeyDetector")),
)
_MARKS = (
    *("a3t", "abia", "acca", "akia", "asia", "aws", "accountkey", "eyj", "-us", "_authtoken"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "gldt-", "glft-", "glsoat-", "glrt-"),
    *("glcbt-", "glimt-", "glptt-", "gr1348941", "t3blbkfj", "pypi-", "sg.", "xox"),
    *("hooks.slack", "sq0csp", "k_live_"),
)
_SHAPES = re.compile(r"[AS][CK][a-z0-9]{32}|[0-9]{8}:[0-9A-Za-z_-]{35}")


class _Plugin(Protocol):
    def analyze_string(self, string: str) -> Iterator[str]: ...


def known_spans(text: str, *, prefilter: bool = True) -> Iterator[tuple[int, int]]:
    """Where in `text` a provider's token stands; without `prefilter`, every line is looked at."""
    if prefilter and not _may_match(text):
        return
    start = 0
    for line in text.splitlines(keepends=True):
        if not prefilter or _may_match(line):
            for value in _values(line.rstrip()):
                for found in re.finditer(re.escape(value), line):
                    yield start + found.start(), start + found.end()
        start += len(line)


def _may_match(text: str) -> bool:
    lowered = text.lower()
    return any(mark in lowered for mark in _MARKS) or _SHAPES.search(text) is not None


def _values(line: str) -> set[str]:
    found = (value for plugin in _plugins() for value in plugin.analyze_string(line))
    return {value for value in found if len(value) >= 8}


@cache
def _plugins() -> tuple[_Plugin, ...]:
    """Imported when first needed: worker processes start often, and few meet a token."""
    return tuple(
        cast(_Plugin, getattr(import_module(f"detect_secrets.plugins.{module}"), name)())
        for module, name in _PLUGINS
    )

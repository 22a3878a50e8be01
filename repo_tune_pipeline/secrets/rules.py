"""The forms that secrets and personal data have, each with the substrings that rule it out fast.

A rule's pattern names what is replaced by its group `v`. Every repetition is over one class of
characters and bounded on its left by a mark, so that a long hostile line costs little.
"""

# ruff: noqa: E501

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Form = Literal["token", "assigned", "card", "email", "iban"]


@dataclass(frozen=True)
class Rule:
    """`marks`: lower-case substrings, one of which stands in every text that the rule matches."""

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    form: Form = "token"
    personal: bool = False


def _token(kind: str, marks: str, pattern: str) -> Rule:
    return Rule(kind, tuple(marks.split()), re.compile(rf"(?<![A-Za-z0-9_])(?P<v>{pattern})"))


def _value(kind: str, marks: str, pattern: str, form: Form = "token") -> Rule:
    return Rule(kind, tuple(marks.split()), re.compile(pattern, re.IGNORECASE), form)


TOKENS = (
    _token("aws_key_id", "akia asia", r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _token("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _token("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{50,255}"),
    _token("gitlab", "glpat- gldt- glrt- glptt-", r"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,80}"),
    _token("slack", "xox xapp-", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,200}"),
    _token("stripe", "k_live_ k_test_", r"[prs]k_(?:live|test)_[A-Za-z0-9]{16,200}"),
    _token("stripe", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _token("google", "aiza", r"AIza[0-9A-Za-z_-]{35}"),
    _token("google", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{20,60}"),
    _token("twilio", "sk ac", r"(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])"),
    _token("sendgrid", "sg.", r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    _token("mailgun", "key-", r"key-[0-9a-f]{32}(?![0-9A-Za-z])"),
    _token("mailchimp", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),
    _token("npm", "npm_", r"npm_[A-Za-z0-9]{36}(?![0-9A-Za-z])"),
    _token("pypi", "pypi-", r"pypi-[A-Za-z0-9_-]{50,400}"),
    _token("telegram", ":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _token("discord", ".", r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    _token("huggingface", "hf_", r"hf_[A-Za-z0-9]{30,60}(?![0-9A-Za-z])"),
    _token("anthropic", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,200}"),
    _token("openai", "sk-", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}(?![A-Za-z0-9_-])"),
    _token("databricks", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![0-9A-Za-z])"),
    _token("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("square", "eaaa", r"EAAA[A-Za-z0-9_-]{56,64}(?![A-Za-z0-9_-])"),
    _token("square", "sq0", r"sq0(?:csp|atp)-[A-Za-z0-9_-]{22,43}"),
    _token(
        "jwt", "eyj", r"eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,2000}"
    ),
    _value(
        "slack", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/(?P<v>[\w/]{20,120})"
    ),
    _value("discord", "/api/webhooks/", r"/api/webhooks/(?P<v>[0-9]{15,22}/[\w-]{40,100})"),
    _value("azure", "accountkey", r"AccountKey\s?=\s?(?P<v>[A-Za-z0-9+/]{40,100}={0,2})"),
    _value("azure", "sig=", r"[?&;]sig=(?P<v>[A-Za-z0-9%+/]{30,120}={0,2})"),
    _value(
        "url_password",
        "://",
        r"://[^\s/:@'\"`<>{}$]{0,100}:(?P<v>[^\s/@'\"`<>{}*]{3,200})@[\w.\[-]",
    ),
    _value(
        "url_password",
        "jdbc:",
        r"jdbc:[^\s'\"`]{1,300}[?&;]password=(?P<v>[^\s&;'\"`<>{}$]{3,100})",
    ),
    _value(
        "authorization",
        "basic",
        r"\bbasic\s(?P<v>[A-Za-z0-9+/]{12,400}={0,2})(?![\w+/-])",
        "assigned",
    ),
    _value(
        "authorization",
        "bearer",
        r"\bbearer\s(?P<v>[\w.+/~-]{20,1000}={0,2})(?![\w+/-])",
        "assigned",
    ),
    _value(
        "netrc",
        "machine",
        r"\bmachine\s{1,8}\S{1,100}\s{1,8}login\s{1,8}\S{1,100}\s{1,8}password\s{1,8}(?P<v>\S{4,100})",
    ),
    _value(
        "docker_auth",
        "auth",
        r"['\"]auth['\"]\s?:\s?['\"](?P<v>[A-Za-z0-9+/]{12,400}={0,2})['\"]",
    ),
    _value("npm", "_auth", r"\b_auth(?:Token)?\s?=\s?(?P<v>[\w+/=.-]{12,400})"),
)
PERSONAL = (
    Rule("email", ("@",), re.compile(
        r"(?<![\w.+%-])(?P<v>[\w+%-][\w.+%-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24})(?![\w-])(?!:)",
        re.ASCII), "email", True),
    Rule("phone", ("+",), re.compile(
        r"(?<![\w+.)\]-])(?P<v>\+[1-9][0-9]{0,2}[ -](?:\([0-9]{1,4}\)[ -])?[0-9]{2,5}(?:[ -][0-9]{2,5}){1,4})(?![\w-])"),
        "token", True),
    Rule("card", (), re.compile(r"(?<![\w.-])(?P<v>[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,4})(?![\w.-])"), "card", True),
    Rule("iban", (), re.compile(r"(?<!\w)(?P<v>[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?)(?!\w)"), "iban", True),
)  # fmt: skip

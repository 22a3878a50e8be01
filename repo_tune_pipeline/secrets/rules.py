"""The forms that secrets have, each with the marks that tell where to look for it.

A rule's pattern names what is replaced by its group `v`. No match crosses the end of a line, and
every repetition is over one class of characters and bounded on its left by a mark, so that a long
hostile line costs little.
"""

# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repo_tune_pipeline.secrets.placeholders import is_placeholder, is_template
from repo_tune_pipeline.secrets.scan import Place, Scan


@dataclass(frozen=True)
class Rule:
    """`marks`: lower-case bytes, one of which stands in every line that the rule matches.

    A rule `in_run` matches nothing without a long run of characters, which has a mark in or near
    it (or `shape`, where there is no mark); one that `leads` begins with its mark. `mixed` values need both a letter and a digit.
    """

    kind: str
    marks: tuple[bytes, ...]
    pattern: re.Pattern[str]
    in_run: bool = True
    leads: bool = False
    mixed: bool = False
    shape: re.Pattern[bytes] | None = None

    def places(self, scan: Scan, *, prefilter: bool = True) -> Iterator[Place]:
        """Where in `scan`'s text this form stands."""
        for start, end in self._lines(scan) if prefilter else [(0, len(scan.text))]:
            for found in self.pattern.finditer(scan.text, start, end):
                if self._is_meant(found["v"]):
                    yield found.span("v")

    def _lines(self, scan: Scan) -> list[Place]:
        if self.shape is not None:
            return [(0, len(scan.text))] if self.shape.search(scan.gist) else []
        if self.in_run and not self.leads and not any(map(scan.is_near_run, self.marks)):
            return []
        return scan.lines_with(self.marks)

    def _is_meant(self, value: str) -> bool:
        if is_placeholder(value) or (self.kind == "url_password" and is_template(value)):
            return False
        if not self.mixed:
            return re.search(r"[0-9A-Z]", value) is not None or not self.in_run
        return re.search(r"\d", value) is not None and re.search(r"[A-Za-z]", value) is not None


def _token(kind: str, marks: str, pattern: str) -> Rule:
    compiled = re.compile(rf"(?<![A-Za-z0-9_])(?P<v>{pattern})")
    begun = tuple(marks.encode().split())
    return Rule(kind, begun, compiled, leads=begun[0][:1].isalnum())


def _shaped(kind: str, shape: bytes, pattern: str) -> Rule:
    compiled = re.compile(rf"(?<![A-Za-z0-9_])(?P<v>{pattern})")
    return Rule(kind, (), compiled, shape=re.compile(shape))


def _value(
    kind: str, marks: str, pattern: str, *, in_run: bool = False, mixed: bool = False
) -> Rule:
    compiled = re.compile(pattern, re.IGNORECASE | re.ASCII)
    return Rule(kind, tuple(marks.encode().split()), compiled, in_run, mixed=mixed)


RULES = (
    _token("aws_key_id", "akia asia", r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _token("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _token("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{50,255}"),
    _token("gitlab", "glpat- gldt- glrt- glptt-", r"gl(?:pat|dt|rt|ptt)-[A-Za-z0-9_-]{20,80}"),
    _token("slack", "xox xapp-", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{15,200}"),
    _token("stripe", "sk_live_ sk_test_ pk_live_ pk_test_ rk_live_ rk_test_", r"[prs]k_(?:live|test)_[A-Za-z0-9]{16,200}"),
    _token("stripe", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _token("google", "aiza", r"AIza[0-9A-Za-z_-]{35}"),
    _token("google", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{20,60}"),
    _shaped("twilio", rb"[AS][CK][0-9a-f]{32}", r"(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])"),
    _token("sendgrid", "sg.", r"SG\.[A-Za-z0-9_-]{20,64}\.[A-Za-z0-9_-]{20,64}"),
    _token("mailgun", "key-", r"key-[0-9a-f]{32}(?![0-9A-Za-z])"),
    _token("mailchimp", "-us", r"[0-9a-z]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),
    _token("npm", "npm_", r"npm_[A-Za-z0-9]{36}(?![0-9A-Za-z])"),
    _token("pypi", "pypi-", r"pypi-[A-Za-z0-9_-]{50,400}"),
    _token("telegram", ":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _shaped("discord", rb"\.(?<=[A-Za-z0-9_-]{24}\.)[A-Za-z0-9_-]{6}\.", r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    _token("huggingface", "hf_", r"hf_[A-Za-z0-9]{30,60}(?![0-9A-Za-z])"),
    _token("anthropic", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{20,200}"),
    _token("openai", "sk-", r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,200}(?![A-Za-z0-9_-])"),
    _token("databricks", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![0-9A-Za-z])"),
    _token("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("square", "eaaa", r"EAAA[A-Za-z0-9_-]{56,64}(?![A-Za-z0-9_-])"),
    _token("square", "sq0", r"sq0(?:csp|atp)-[A-Za-z0-9_-]{22,43}"),
    _token("artifactory", "akcp", r"AKCp[A-Za-z0-9]{40,100}"),
    _token("atlassian", "atatt3", r"ATATT3[A-Za-z0-9_=-]{60,300}"),
    _token("docker", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{20,60}"),
    _token("age", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{50,60}"),
    _token("grafana", "glsa_ glc_", r"(?:glsa|glc)_[A-Za-z0-9_+/=]{32,200}"),
    _token("linear", "lin_api_", r"lin_api_[A-Za-z0-9]{32,60}"),
    _token("newrelic", "nrak-", r"NRAK-[A-Z0-9]{27}(?![0-9A-Za-z])"),
    _token("sentry", "sntrys_", r"sntrys_[A-Za-z0-9_+/=-]{40,300}"),
    _token("vault", "hvs.", r"hvs\.[A-Za-z0-9_-]{24,200}"),
    Rule("jwt", (b"eyj",), re.compile(
        r"(?<![A-Za-z0-9_])(?P<v>eyJ[A-Za-z0-9_-]{17,2000}+\.eyJ[A-Za-z0-9_-]{8,8000}+\.[A-Za-z0-9_-]{8,2000})")),
    _value("slack", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/(?P<v>[\w/]{20,120})", in_run=True),
    _value("discord", "/webhooks/", r"/api/webhooks/(?P<v>[0-9]{15,22}/[\w-]{40,100})", in_run=True),
    _value("azure", "accountkey", r"AccountKey[ ]?=[ ]?(?P<v>[A-Za-z0-9+/]{40,100}={0,2})", in_run=True),
    _value("azure", "sig=", r"[?&;]sig=(?P<v>[A-Za-z0-9%+/]{30,120}={0,2})", in_run=True),
    _value("url_password", "://", r"://[^\s/:@'\"`<>{}$]{0,100}:(?P<v>[^\s/@'\"`<>{}*]{3,200})@[\w.\[-]"),
    _value("url_password", "pass", r"jdbc:[^\s'\"`]{1,300}[?&;]password=(?P<v>[^\s&;'\"`<>{}$]{3,100})"),
    _value("authorization", "basic", r"\bbasic[ \t](?P<v>[A-Za-z0-9+/]{12,400}={0,2})(?![\w+/-])", mixed=True),
    _value("authorization", "bearer", r"\bbearer[ \t](?P<v>[\w+/-]{20,1000}[\w.+/~-]{0,1000}={0,2})(?![\w+/-])", in_run=True, mixed=True),
    _value("docker_auth", "auth", r"['\"]auth['\"][ ]?:[ ]?['\"](?P<v>[A-Za-z0-9+/]{12,400}={0,2})['\"]"),
    _value("npm", "auth", r"\b_auth(?:Token)?[ ]?=[ ]?(?P<v>[\w+/=.-]{12,400})"),
)  # fmt: skip

_LEADING = tuple(rule for rule in RULES if rule.leads)
_OTHERS = tuple(rule for rule in RULES if not rule.leads)


def _any_of(marks: list[bytes]) -> bytes:
    """A pattern of all `marks`, those with one first letter together: far fewer are tried."""
    firsts = sorted({mark[:1] for mark in marks})
    groups = {first: [mark[1:] for mark in marks if mark.startswith(first)] for first in firsts}
    return b"|".join(
        first + b"(?:" + b"|".join(map(re.escape, rests)) + b")" for first, rests in groups.items()
    )


_LEAD = re.compile(
    rb"[^a-z0-9_](?=(" + _any_of([mark for rule in _LEADING for mark in rule.marks]) + b"))"
)


def rule_places(scan: Scan, *, prefilter: bool = True) -> Iterator[tuple[str, Place]]:
    """The kind and the place of all that one of `RULES` finds."""
    rules = (*_live(scan), *_OTHERS) if prefilter else RULES
    return (
        (rule.kind, place) for rule in rules for place in rule.places(scan, prefilter=prefilter)
    )


def _live(scan: Scan) -> Iterator[Rule]:
    """The rules whose mark begins a word in the scan's gist; of nested marks one is found."""
    leads = set[bytes](_LEAD.findall(scan.lowered_gist))
    if leads:
        for rule in _LEADING:
            if any(a.startswith(b) or b.startswith(a) for a in leads for b in rule.marks):
                yield rule

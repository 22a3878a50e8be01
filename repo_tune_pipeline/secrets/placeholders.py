"""What stands where a secret would: this package's own placeholders, and templates."""

from __future__ import annotations

import re

PREFIX = "REDACTED_"
KINDS = (
    *("age", "anthropic", "artifactory", "assigned", "atlassian", "authorization", "aws_key_id"),
    *("azure", "card", "databricks", "digitalocean", "discord", "docker", "docker_auth", "email"),
    *("encoded", "github", "gitlab", "google", "grafana", "huggingface", "iban", "jwt", "linear"),
    *("mailchimp", "mailgun", "netrc", "newrelic", "npm", "openai", "phone", "private_key"),
    *("pypi", "sendgrid", "sentry", "shopify", "slack", "square", "stripe", "telegram", "token"),
    *("twilio", "url_password", "vault"),
)
_OWN = re.compile(PREFIX + "(?:" + "|".join(kind.upper() for kind in KINDS) + ")")
_TEMPLATE = re.compile(
    r"[$#%]?\{\{?[^{}]{0,80}\}?\}|\$\([^()]{0,80}\)|\$[A-Z_][A-Z0-9_]*|\$[A-Za-z_]+"
    r"|<[^<>]{1,60}>|\[[^\[\]]{1,60}\]|%\(\w{1,40}\)[sd]|%[sdrvq@]|%[A-Z_]{1,40}%|:[a-z_]+"
    r"|[~^<>=]{0,2}\d{1,4}(?:\.\d{1,6}){1,3}|[xX*.•#_-]{3,}|(?:process|import\.meta)\.env\b[\w.\[\]'\"]*|os\.(?:environ|getenv)\b.*"
)
_STOCK = (
    "a access admin an and any api app auth basic bearer change changed changeme client confirm "
    "confirmation correct credential credentials current db default demo dummy empty env example "
    "fake false field foo for from hash hashed here hidden id input insert invalid is key label me "
    "mock my name new nil no none not null object of off old on optional or pass passphrase "
    "password passwd placeholder private public pwd redacted repeat replace required reset root "
    "same sample secret service some string test testing text the this to todo token true type "
    "undefined user username value wrong yes your "
)
_WORDS = frozenset(_STOCK.split())
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^A-Za-z\s_.-]+")
_CHAIN = re.compile(r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+")


def placeholder(kind: str) -> str:
    """What a secret of `kind` is replaced by."""
    return PREFIX + kind.upper()


def is_placeholder(value: str) -> bool:
    """Whether the whole `value` is a placeholder; one inside other text makes nothing harmless."""
    return value.startswith(PREFIX) and _OWN.fullmatch(value) is not None


def is_template(value: str) -> bool:
    """Whether the whole `value` is filled in elsewhere, or has nothing but stock words."""
    if is_placeholder(value) or len(set(value)) <= 1 or _TEMPLATE.fullmatch(value):
        return True
    return len(value) <= 80 and all(part.lower() in _WORDS for part in _PART.findall(value))


def is_chain(value: str) -> bool:
    """Whether `value` reads like `settings.password`: a name, not what it stands for."""
    return _CHAIN.fullmatch(value) is not None

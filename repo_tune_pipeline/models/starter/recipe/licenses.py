"""Which installed distributions may be learned from, by the licence their metadata claims."""

from __future__ import annotations

import re
from importlib.metadata import Distribution
from pathlib import Path

EVALUATION = frozenset(
    {
        "attrs",
        "click",
        "fastapi",
        "flask",
        "httpx",
        "hyperswitch",
        "hypothesis",
        "itsdangerous",
        "jinja2",
        "markupsafe",
        "pluggy",
        "pytest",
        "repo-tune-pipeline",
        "requests",
        "rich",
        "starlette",
        "typer",
        "werkzeug",
    }
)
"""Never learned from: an adapter is measured on what its base model hasn't read."""

_PERMISSIVE = frozenset({"MIT", "BSD", "Apache-2.0", "PSF-2.0", "ISC"})
_FORBIDDEN = re.compile(r"\b(A|L)?GPL|GNU|MPL|Mozilla|EPL|CDDL|CeCILL|Proprietary|Commercial", re.I)
_FORMS = (
    (re.compile(r"^(MIT|MIT[ -]0|MIT[ -]CMU|(the )?MIT License)$", re.I), "MIT"),
    (re.compile(r"^(new |modified )?BSD\b", re.I), "BSD"),
    (re.compile(r"^\d-clause BSD", re.I), "BSD"),
    (re.compile(r"^Apache\b", re.I), "Apache-2.0"),
    (re.compile(r"^(PSF|Python Software Foundation)", re.I), "PSF-2.0"),
    (re.compile(r"^ISC\b", re.I), "ISC"),
)


def normal_name(name: str) -> str:
    """A distribution's name in the normal form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def permissive_license(distribution: Distribution) -> str:
    """MIT, BSD, Apache-2.0, PSF-2.0 or ISC; empty when anything else is claimed, or nothing.

    The SPDX expression counts before the classifiers, those before the free `License` field. Of
    an `AND` every part must be permissive, of an `OR` one; a distribution that carries a copyleft
    licence's text beside a permissive claim is left out.
    """
    metadata = distribution.metadata
    claim = str(metadata.json.get("license", ""))
    expression = str(metadata.json.get("license_expression", ""))
    if not expression:
        expression = " AND ".join(_classified(metadata.get_all("Classifier") or []))
    if not expression:
        expression = claim.strip().partition("\n")[0][:80]
    if _FORBIDDEN.search(expression) or _FORBIDDEN.search(claim):
        return ""
    return _of_expression(expression)


def _classified(classifiers: list[str]) -> list[str]:
    found = [line.split(" :: ") for line in classifiers if line.startswith("License ::")]
    return [parts[-1] for parts in found if parts[-1] != "OSI Approved"]


def _of_expression(expression: str) -> str:
    # Classifiers can't tell AND from OR, so two of them are read as AND: the careful reading.
    kept: list[str] = []
    for part in re.split(r"\s+AND\s+", expression.replace("(", "").replace(")", "")):
        choices = [_one(choice.strip()) for choice in re.split(r"\s+OR\s+", part)]
        allowed = [choice for choice in choices if choice]
        if not allowed:
            return ""
        kept.append(allowed[0])
    return " AND ".join(sorted(set(kept)))


def _one(name: str) -> str:
    for form, spdx in _FORMS:
        if form.search(name) and spdx in _PERMISSIVE:
            return spdx
    return ""


_BORROWED = frozenset(
    {
        "dist",
        "driver",
        "ext",
        "extern",
        "externals",
        "include",
        "node_modules",
        "site-packages",
        "static",
        "third_party",
        "typeshed-fallback",
        "vendor",
        "vendored",
    }
)


def is_vendored(path: Path) -> bool:
    """Whether a file came from another project, whose licence the metadata doesn't tell."""
    return any(part.lower().strip("_") in _BORROWED for part in path.parts[:-1])

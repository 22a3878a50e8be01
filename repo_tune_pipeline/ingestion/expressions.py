"""SPDX expressions: written one way, and held against the licences that are allowed."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, Literal, cast

from license_expression import ExpressionError, LicenseWithExceptionSymbol, get_spdx_licensing

from repo_tune_pipeline.records import NO_ASSERTION


def normal_expression(expression: str, *, known: bool = False) -> str:
    """The expression as SPDX spells it; NOASSERTION if it can't be understood.

    With `known` every identifier in it has to be one of SPDX's.
    """
    try:
        parsed: Any = _licensing().parse(expression, validate=known)
    except ExpressionError:
        return NO_ASSERTION
    return NO_ASSERTION if parsed is None else str(parsed)


def joined(expressions: Collection[str], operator: Literal["AND", "OR"]) -> str:
    """The distinct expressions as one; NOASSERTION if one of them is, empty if there is none."""
    found = sorted(set(expressions) - {""})
    if NO_ASSERTION in found:
        return NO_ASSERTION
    compound = (f"({one})" if " AND " in one or " OR " in one else one for one in found)
    return found[0] if len(found) == 1 else f" {operator} ".join(compound)


def is_allowed(expression: str, allow: Collection[str]) -> bool:
    """Whether the licences of `allow` suffice: one side of an OR, both of an AND.

    An exception (WITH) only ever permits more than its licence does.
    """
    try:
        parsed: Any = _licensing().parse(expression)
    except ExpressionError:
        return False
    return parsed is not None and _satisfied(parsed, {name.lower() for name in allow})


def _satisfied(node: Any, allow: set[str]) -> bool:
    if isinstance(node, LicenseWithExceptionSymbol):
        node = cast(Any, node).license_symbol
    parts = [_satisfied(part, allow) for part in getattr(node, "args", ())]
    if not parts:
        return str(node).lower() in allow
    return any(parts) if type(node).__name__ == "OR" else all(parts)


@cache
def _licensing() -> Any:
    return cast(Any, get_spdx_licensing())

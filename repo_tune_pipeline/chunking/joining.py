"""Definitions that are written in several pieces: a type signature and equations, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from repo_tune_pipeline.chunking.outline import Definition


def joined(
    definitions: Sequence[Definition], begins: Callable[[Definition], bool]
) -> tuple[Definition, ...]:
    """Neighbours of one name and role as one definition, with the signature before them.

    Args:
        definitions: outer ones before inner ones, by first byte; so are those returned. A
            signature with nothing of its name below it isn't among them.
        begins: whether a definition is no part of the one above, though it has its name.
    """
    found: list[Definition] = []
    around: list[int] = []
    for definition in definitions:
        before = -1
        while around and found[around[-1]].end <= definition.start:
            before = around.pop()
        if before >= 0 and _goes_on(found[before], definition) and not begins(definition):
            found[before] = _join(found[before], definition)
        else:
            before = len(found)
            found.append(definition)
        around.append(before)
    return tuple(each for each in found if each.role != "signature")


def _goes_on(before: Definition, after: Definition) -> bool:
    return (
        before.names == after.names
        and before.role in ("signature", after.role)
        and "type" not in (before.role, after.role)
    )


def _join(before: Definition, after: Definition) -> Definition:
    """The two as one: a signature ends where the first equation begins."""
    return after._replace(
        start=before.start,
        outer_start=before.outer_start,
        body=after.node if before.role == "signature" else before.body,
        is_broken=before.is_broken or after.is_broken,
    )

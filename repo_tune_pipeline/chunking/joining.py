"""Definitions that are written in several pieces: a type signature and equations, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tree_sitter import Node

from repo_tune_pipeline.chunking.outline import Definition
from repo_tune_pipeline.chunking.parsing import Stretch


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
        while around and found[around[-1]].node.end_byte <= definition.node.start_byte:
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
    headed = before.role == "signature" and isinstance(after.node, Node)
    return replace(
        after,
        node=_stretch(before.node, after.node),
        outer=_stretch(before.outer, after.outer),
        body=after.node if headed else before.body,
    )


def _stretch(first: Node | Stretch, last: Node | Stretch) -> Stretch:
    return Stretch(
        first.first if isinstance(first, Stretch) else first,
        last.last if isinstance(last, Stretch) else last,
        first.has_error or last.has_error,
    )

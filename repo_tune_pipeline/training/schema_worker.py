"""`python -m repo_tune_pipeline.training.schema_worker`: would Axolotl take this recipe?

Standard input holds the JSON question of `recipe_check`; the last line of standard output is the
answer, `{}` or `{"problem", "remedy"}`.
"""

# This module runs in a process of its own: heavy imports at its top are its purpose.
# ruff: noqa: TID253

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, cast

import orjson
from axolotl.integrations.config import merge_input_args
from axolotl.utils.dict import DictDefault
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_FEW = 12


class Refused(Exception):
    """A problem and its remedy."""


def main() -> None:
    """Answer one question."""
    question = orjson.loads(sys.stdin.buffer.read())
    try:
        _check(question)
        answer: dict[str, str] = {}
    except Refused as refused:
        answer = {"problem": str(refused.args[0]), "remedy": str(refused.args[1])}
    sys.stdout.write("\n" + orjson.dumps(answer).decode() + "\n")


def _check(question: dict[str, Any]) -> None:
    recipe = DictDefault(question["recipe"])
    if recipe.plugins:
        from axolotl.cli.config import prepare_plugins

        prepare_plugins(recipe)
    schema = cast(type[BaseModel], merge_input_args()[1])
    for layer in question["layers"]:
        for path, allowed in _unknown_keys((schema,), layer["values"], ()):
            raise Refused(f"{layer['file']}: unknown key `{'.'.join(path)}`.", _hint(path, allowed))
    _validate(recipe, question)


def _validate(recipe: DictDefault, question: dict[str, Any]) -> None:
    # Imported late: an unknown key is answered in half the time.
    from axolotl.cli.config import gpu_capabilities
    from axolotl.utils.config import validate_config

    try:
        capabilities, env_capabilities = gpu_capabilities()
        validate_config(recipe, capabilities=capabilities, env_capabilities=env_capabilities)
    except ValidationError as error:
        raise Refused(*_explained(error, question)) from None
    except (ValueError, ImportError, NotImplementedError) as error:
        raise Refused(*_whole(question, str(error))) from None


def _unknown_keys(
    models: tuple[type[BaseModel], ...], values: dict[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Keys that none of `models` has, with those that are allowed in their place."""
    fields = {name: field for model in models for name, field in _fields(model)}
    for key, value in values.items():
        here = (*path, str(key))
        if key not in fields:
            yield here, sorted(fields)
            continue
        inner, free = _models_in(fields[key].annotation)
        for below in value if isinstance(value, list) else [value]:
            if isinstance(below, dict) and inner and not free:
                yield from _unknown_keys(inner, cast(dict[str, Any], below), here)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        yield name, field
        if isinstance(field.alias, str):
            yield field.alias, field


def _models_in(annotation: Any) -> tuple[tuple[type[BaseModel], ...], bool]:
    """The models that a value may be, and whether it may be a mapping with any keys too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,), False
    if annotation is dict or typing.get_origin(annotation) is dict:
        return (), True
    parts = [_models_in(part) for part in typing.get_args(annotation)]
    return tuple(model for models, _ in parts for model in models), any(free for _, free in parts)


def _hint(path: tuple[str, ...], allowed: list[str]) -> str:
    near = get_close_matches(path[-1], allowed, n=5, cutoff=0.6)
    if len(allowed) <= _FEW:
        return f"Allowed here: {', '.join(allowed)}."
    start = f"Did you mean {' or '.join(f'`{name}`' for name in near)}? " if near else ""
    return f"{start}Allowed are Axolotl's {len(allowed)} keys: `axolotl config-schema` lists them."


def _explained(error: ValidationError, question: dict[str, Any]) -> tuple[str, str]:
    first = error.errors(include_url=False)[0]
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    if not first["loc"]:
        return _whole(question, said)
    key = str(first["loc"][0])
    written_in = [layer["file"] for layer in question["layers"] if key in layer["values"]]
    value = repr(question["recipe"].get(key))[:80]
    where = written_in[-1] if written_in else "The recipe"
    return f"{where}: `{key}` is {value}: {said}.", "Correct the value."


def _whole(question: dict[str, Any], said: str) -> tuple[str, str]:
    files = " with ".join(layer["file"] for layer in reversed(question["layers"]))
    return f"{files}: Axolotl refuses the recipe: {said.rstrip('.')}.", "Correct the keys it names."


if __name__ == "__main__":
    main()

"""YAML files that a person wrote, and errors that name the file, the key and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError

from repo_tune_pipeline.errors import ConfigError

ModelT = TypeVar("ModelT", bound=BaseModel)


def validate(model: type[ModelT], data: object, file: Path) -> ModelT:
    """Build `model` from `data`, with the file, the key and what is allowed in the error."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*_explain(model, error, file)) from None


def read_yaml(file: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping (an empty file is an empty mapping)."""
    try:
        loaded = cast(object, yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"Configuration {file} can't be read: {error.strerror}.",
            "Name an existing YAML file.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = " ".join(str(error).split())
        raise ConfigError(f"Configuration {file} isn't valid YAML: {where}.") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(
            f"Configuration {file} holds a {type(loaded).__name__} where a mapping belongs.",
            "Write `key: value` lines at its top level.",
        )
    return cast(dict[str, Any], loaded)


def _explain(model: type[BaseModel], error: ValidationError, file: Path) -> tuple[str, str]:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "(top level)"
    if first["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_keys_beside(model, first["loc"])))
        return f"{file}: unknown key `{key}`.", f"Allowed here: {allowed}."
    value = repr(first["input"])
    return f"{file}: `{key}` is {value[:80]}: {first['msg']}.", "Correct the value."


def _keys_beside(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The field names of the section in which the last part of `loc` stands."""
    schema = model.model_json_schema()
    node: dict[str, Any] = schema
    for part in loc[:-1]:
        node = _resolve(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
    return list(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node

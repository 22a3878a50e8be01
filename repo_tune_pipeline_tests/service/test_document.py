"""The OpenAPI document shows an example of all that is sent and answered, each in its own form."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from repo_tune_pipeline.artifacts import Home
from repo_tune_pipeline.service.app import create_app
from repo_tune_pipeline.service.wire import JOB_ID
from repo_tune_pipeline.settings import Settings
from repo_tune_pipeline_tests.service.serving import NO_DAGSTER, client

JSON = ("application/json", "application/problem+json")
# Answered by a model, or by Dagster, which isn't there: the walk through the README asks those.
ASKED = ("/health", "/health/ready", "/repos", "/models/info", "/v1/models", "/v1/models/base")


@pytest.fixture(scope="module")
def document(home: Home) -> dict[str, Any]:
    return create_app(home, Settings(), NO_DAGSTER, token="for the form of 401").openapi()


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that is JSON: where it stands, and its media type's object."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            said = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for what, one in said.items():
                for kind, content in one.get("content", {}).items():
                    if kind in JSON:
                        yield f"{method.upper()} {path} {what}", content


def examples_of(schema: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """A schema's own, those of what it refers to, or those of what it may be instead."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return examples_of(document["components"]["schemas"][name], document)
    if "examples" in schema:
        return schema["examples"]
    return [one for part in schema.get("anyOf", []) for one in examples_of(part, document)]


def problems(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]


def test_every_body_and_answer_has_an_example_that_is_valid(document) -> None:
    found = list(contents(document))
    bodies = [where for where, _ in found if where.endswith("body")]
    answers = [where for where, _ in found if where[-3:].startswith("2")]
    assert len(bodies) >= 6
    assert len(answers) >= 19
    for where, content in found:
        examples = examples_of(content["schema"], document)
        assert examples, where
        for example in examples:
            assert problems(example, content["schema"], document) == [], where


@pytest.mark.parametrize("path", ASKED)
def test_an_example_has_the_keys_of_what_is_answered(url: str, document, path: str) -> None:
    named = path.replace("/v1/models/base", "/v1/models/{model}")
    content = document["paths"][named]["get"]["responses"]["200"]["content"]["application/json"]
    [example] = examples_of(content["schema"], document)
    with client(url) as http:
        answered = http.get(path).json()

    assert problems(answered, content["schema"], document) == []
    assert form(example) == form(answered)


def form(value: dict[str, Any]) -> dict[str, Any]:
    """Its keys, and those of the first in each of its lists."""
    firsts = {key: inner[0] for key, inner in value.items() if isinstance(inner, list)}
    return {key: sorted(firsts[key]) if key in firsts else None for key in value}


def test_a_method_that_a_path_lacks_is_refused_with_those_that_it_has(url: str, document) -> None:
    values = {"{job_id}": JOB_ID, "{variant}": "main", "{model}": "base"}
    with client(url) as http:
        for path, operations in document["paths"].items():
            asked = path
            for name, value in values.items():
                asked = asked.replace(name, value)
            answer = http.patch(asked)
            assert answer.status_code == 405, path
            allowed = {method.strip().lower() for method in answer.headers["allow"].split(",")}
            assert allowed == operations.keys(), path

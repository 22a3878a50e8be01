"""`repo-tune ask`: an answer over retrieved code, from each kind of model, with its sources."""

from __future__ import annotations

import json

import pytest

from repo_tune_pipeline_tests.end_to_end.conftest import Walk
from repo_tune_pipeline_tests.end_to_end.program import git, repo_tune
from repo_tune_pipeline_tests.model_server import Answer, ModelServer

QUESTION = "How is run_git called, and what does it return?"


@pytest.mark.parametrize("model", ["fine-tuned", "base"])
def test_a_local_model_answers_and_names_lines_that_are_there(walk: Walk, model: str) -> None:
    done = repo_tune("ask", QUESTION, "--model", model, "--json", home=walk.home)
    assert done.code == 0, done.err
    said = done.result
    assert set(said) == {"answer", "model", "sources", "usage", "seconds"}
    assert said["model"].startswith("main-") == (model == "fine-tuned")
    assert said["usage"]["prompt_tokens"] > 100
    assert 0 < said["usage"]["completion_tokens"] <= 256
    assert any("run_git" in source["symbol"] for source in said["sources"])
    for source in said["sources"]:
        text = git(walk.repository, "show", f"{source['commit']}:{source['path']}")
        lines = text.split("\n")[source["start_line"] - 1 : source["end_line"]]
        assert source["symbol"].rsplit(".", 1)[-1] in "\n".join(lines)
    again = repo_tune("ask", QUESTION, "--model", model, "--json", home=walk.home).result
    assert again["answer"] == said["answer"]


def test_a_person_sees_the_answer_and_its_sources(walk: Walk) -> None:
    done = repo_tune("ask", QUESTION, home=walk.home)
    assert done.code == 0, done.err
    assert "Sources" in done.out
    assert done.err == ""
    assert f"@{walk.commit[:12]}" in done.out.replace("\n", "")


def test_what_nothing_is_found_for_is_said(walk: Walk) -> None:
    done = repo_tune("ask", "zygomorphic quokkas", "--json", home=walk.home)
    assert done.result["sources"] == []
    assert "Nothing in the ingested repositories matches" in done.result["answer"]
    other = repo_tune("ask", QUESTION, "--repo", "not/there", "--json", home=walk.home)
    assert other.result["sources"] == []


def test_gemini_is_sent_code_only_where_it_may_be(walk: Walk) -> None:
    refused = repo_tune("ask", QUESTION, "--model", "gemini", home=walk.home)
    assert refused.code == 2
    assert "answering.i_may_send_this_code" in refused.err
    with ModelServer(lambda prompt, number: Answer(text="It runs git.")) as server:
        config = walk.config.with_name("gemini.yaml")
        answering = f"answering: {{i_may_send_this_code: true, gemini_url: '{server.url}'}}\n"
        config.write_text(walk.config.read_text() + answering)
        arguments = ("ask", QUESTION, "--model", "gemini", "--config", config, "--json")
        keyless = repo_tune(*arguments, home=walk.home, GEMINI_API_KEY="")
        assert keyless.code == 2
        assert "GEMINI_API_KEY" in keyless.err
        done = repo_tune(*arguments, home=walk.home, GEMINI_API_KEY="k3y")
    assert done.code == 0, done.err
    assert done.result["answer"] == "It runs git."
    assert done.result["model"] == "gemini-flash-latest"
    (prompt,) = server.prompts
    assert prompt.startswith(QUESTION)
    assert all(source["path"] in prompt for source in done.result["sources"])
    assert "k3y" not in json.dumps(done.result) + done.err


def test_a_server_of_openais_protocol_is_asked_where_one_is_named(walk: Walk) -> None:
    refused = repo_tune("ask", QUESTION, "--model", "openai", home=walk.home)
    assert refused.code == 2
    assert "answering.openai.base_url" in refused.err
    with ModelServer(lambda prompt, number: Answer(text="It runs git.")) as server:
        config = walk.config.with_name("openai.yaml")
        named = f"{{base_url: '{server.url}/v1', model: some-model, key_variable: SOME_KEY}}"
        config.write_text(walk.config.read_text() + f"answering: {{openai: {named}}}\n")
        arguments = ("ask", QUESTION, "--model", "openai", "--config", config, "--json")
        done = repo_tune(*arguments, home=walk.home, SOME_KEY="k3y")
    assert done.code == 0, done.err
    assert (done.result["answer"], done.result["model"]) == ("It runs git.", "some-model")
    assert server.prompts[0].startswith(QUESTION)
    assert server.keys == ["Bearer k3y"]
    assert "k3y" not in json.dumps(done.result) + done.err


def test_what_cannot_be_asked_is_one_error(walk: Walk, tmp_path) -> None:
    model = repo_tune("ask", QUESTION, "--model", "gpt", home=walk.home)
    assert model.code == 2
    assert "fine-tuned, base, gemini, openai" in model.err
    for question in ("  ", "why " * 2_000):
        done = repo_tune("ask", question, home=walk.home)
        assert done.code == 2
        assert "characters" in done.err
    nothing = repo_tune("ask", QUESTION, home=tmp_path)
    assert nothing.code == 1
    assert "repo-tune train" in nothing.err
    assert "Traceback" not in nothing.err

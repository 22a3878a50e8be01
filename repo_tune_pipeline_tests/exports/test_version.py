"""A version goes on to answer where the package, and its starter with it, was moved."""

import pytest

from repo_tune_pipeline.answering import open_model
from repo_tune_pipeline.artifacts import read_json, write_json
from repo_tune_pipeline.errors import BaseModelError
from repo_tune_pipeline.models.protocol import Prompt
from repo_tune_pipeline.settings import Settings
from repo_tune_pipeline.training import starter_folder
from repo_tune_pipeline_tests.service.serving import make_home


@pytest.fixture
def home(tmp_path):
    return make_home(tmp_path / "home", starter_folder(), name="starter")


def trained_elsewhere(home, **more) -> None:
    run = home.adapters("main") / "latest" / "run.json"
    write_json(run, {**read_json(run), "base_path": "/nowhere/starter", **more})


def test_the_starter_is_found_where_the_package_is_now(home):
    trained_elsewhere(home)
    opened = open_model("fine-tuned", "main", home, Settings())
    [answer] = opened.answerer.answer([Prompt("Explain.", "x = 1")], max_tokens=2)
    assert answer.tokens == 2


def test_another_starter_than_it_was_trained_on_is_refused(home):
    trained_elsewhere(home, base_digest="0" * 64)
    with pytest.raises(BaseModelError, match="another starter") as refused:
        open_model("fine-tuned", "main", home, Settings())
    assert "repo-tune train" in refused.value.remedy

import json
import shutil
from pathlib import Path

import pytest

from repo_tune_pipeline.evaluation import prepare_evaluation
from repo_tune_pipeline.evaluation.cells import ADAPTER_PLAIN, BASE_PLAIN
from repo_tune_pipeline.evaluation.predicting import Predicted
from repo_tune_pipeline.evaluation.render import render_html, render_markdown
from repo_tune_pipeline.evaluation.report import Measured, build_report
from repo_tune_pipeline.evaluation.safe_text import markdown_code, visible
from repo_tune_pipeline.evaluation.selection import Selection
from repo_tune_pipeline.evaluation.verdict import Controls
from repo_tune_pipeline.evaluation.wording import without_place
from repo_tune_pipeline.evaluation.worker import main
from repo_tune_pipeline_tests.evaluation.known import prediction
from repo_tune_pipeline_tests.evaluation.worlds import (
    QUICK,
    World,
    an_example,
    some_examples,
    write_dataset,
)

SCRIPT = "<script>document.title = 'owned'</script>"
IMAGE = "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
HOSTILE = f"{SCRIPT}</pre>{IMAGE}</style><|im_end|>{{{{ 7 * 7 }}}}\u202egnp.exe\x1b[31m`|"


@pytest.fixture(scope="module")
def hostile_page(world: World, idle_adapter: Path) -> Path:
    examples = [
        an_example(
            200 + number,
            path=f"src/{SCRIPT}`|{number}.py",
            instruction=HOSTILE,
            input=f"{HOSTILE}\n",
            output=f"{HOSTILE}{number}",
        )
        for number in range(4)
    ]
    dataset = write_dataset(world.root / "hostile", [*examples, *some_examples(2)])
    plan = world.plan(idle_adapter, dataset=dataset)
    assert main([str(prepare_evaluation(plan))]) == 0
    return plan.folder / "report.html"


def test_the_text_of_a_repository_is_inert_in_the_page(hostile_page: Path) -> None:
    page = hostile_page.read_text(encoding="utf-8")

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert "&lt;script&gt;document.title" in page
    assert "&lt;|im_end|&gt;{{ 7 * 7 }}\\u202egnp.exe\\x1b[31m" in page
    assert "\u202e" not in page
    assert "http" not in page.replace('http-equiv="', "").replace("src=http://127.0.0.1:9/x", "")


def test_the_page_shows_numbers_curve_and_examples_to_anyone_offline(
    through_chromium, hostile_page: Path
) -> None:
    for width in (1280, 400):
        page, asked = through_chromium(hostile_page, width)

        assert asked == [hostile_page.as_uri()]
        assert page.title() == "Not proven: keep what you have · main"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("svg.interval").count() > 0
        assert page.locator("article.example").count() > 0
        assert page.locator("h1").evaluate("e => getComputedStyle(e).fontWeight") == "650"


@pytest.fixture(scope="module")
def through_chromium():
    """Opens a file in headless Chromium: the page, and every address that it asked for."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def opened(file: Path, width: int):
            page = browser.new_page(viewport={"width": width, "height": 900})
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(file.as_uri())
            return page, asked

        yield opened
        browser.close()


def test_what_could_deceive_the_eye_is_written_out() -> None:
    assert visible("a\u200bb\u202ec\x07\r\nd\te") == "a\\u200bb\\u202ec\\x07\nd\te"
    assert visible("größe 支付 ☕") == "größe 支付 ☕"


def test_a_code_span_in_markdown_holds_its_text() -> None:
    assert markdown_code("a`b|c\n<script>") == "`a'b¦c\\n<script>`"


def test_what_only_one_model_was_measured_on_is_shown_for_the_other_as_missing(
    world: World, idle_adapter: Path
) -> None:
    """An adapter whose answers name nothing has no share of names that exist."""
    predictions = []
    for number in range(12):
        one = prediction(an_example(number, path=f"src/{number}.py"), 2.0, 1.5)
        one.outcomes[BASE_PLAIN].terms["grounding"] = (1.0, 2.0)
        one.outcomes[ADAPTER_PLAIN].terms["grounding"] = (0.0, 0.0)
        predictions.append(one)
    selection = Selection(tuple(one.example for one in predictions), frozenset(), 12, {})
    measured = Measured(selection, Predicted(predictions), (), Controls(), "cpu", "float32")

    report = build_report(world.plan(idle_adapter), measured)

    assert '<td data-label="Base">0.500</td><td data-label="Adapter">–</td>' in (
        render_html(report)
    )
    assert "| Grounding | Code completion | 12 | 0.500 | – |" in render_markdown(report)


def test_neither_models_nor_the_placebo_are_named_by_where_they_lie(
    world: World, idle_adapter: Path, taught_adapter: Path
) -> None:
    predictions = [prediction(an_example(number), 2.0, 1.5) for number in range(4)]
    selection = Selection(tuple(one.example for one in predictions), frozenset(), 4, {})
    measured = Measured(selection, Predicted(predictions), (), Controls(), "cpu", "float32")
    settings = QUICK.model_copy(update={"placebo": f"file://{world.root}/other.git"})

    report = build_report(
        world.plan(idle_adapter, placebo=taught_adapter, settings=settings), measured
    )

    assert report.data["settings"]["placebo"] == "other.git"
    assert report.data["adapter"]["base_model"] == world.base.name
    assert report.data["placebo"]["base_model"] == world.base.name
    for text in (json.dumps(report.data), render_html(report), render_markdown(report)):
        assert str(world.root) not in text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rich", "rich"),
        ("https://example.com/acme/other.git", "https://example.com/acme/other.git"),
        ("git@example.com:acme/other.git", "git@example.com:acme/other.git"),
        ("Qwen/Qwen2-7B-Instruct", "Qwen/Qwen2-7B-Instruct"),
        ("/srv/code/other", "other"),
        ("~/code/other/", "other"),
        ("file:///srv/code/other.git", "other.git"),
    ],
)
def test_a_source_is_shown_as_it_was_named_unless_that_is_a_place(source: str, shown: str) -> None:
    assert without_place(source) == shown

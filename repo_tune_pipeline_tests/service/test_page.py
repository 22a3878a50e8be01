"""The page in a real browser, by clicks and keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from repo_tune_pipeline_tests.service.browser import page_of
from repo_tune_pipeline_tests.service.serving import client, service

WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}


@pytest.mark.parametrize("looks", [WIDE, PHONE], ids=["wide", "phone"])
def test_two_models_answer_side_by_side_and_a_source_opens_at_its_lines(url, tmp_path, looks):
    with page_of(url, **looks) as (page, wrong):
        page.goto(url)
        page.get_by_label("Question").fill("What does split_header return?")
        page.get_by_label("base", exact=True).check()
        page.get_by_role("button", name="Ask").click()
        answers = page.get_by_role("article")
        expect(answers).to_have_count(2)
        for model in ("fine-tuned", "base"):
            answer = answers.filter(has=page.get_by_role("heading", name=model))
            expect(answer.get_by_role("heading", name="Sources")).to_be_visible(timeout=120_000)
            expect(answer.locator(".answer")).not_to_be_empty()
        page.screenshot(path=tmp_path / "ask.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        answers.first.get_by_role("link", name="pkg/mod.py:1-2").click()
        expect(page.locator("h1")).to_have_text("pkg/mod.py")
        cited = page.locator(".line.cited")
        assert "def split_header" in cited.first.inner_text()
        assert wrong == []


def test_it_can_be_used_with_the_keyboard_alone(url):
    with page_of(url, **WIDE) as (page, wrong):
        page.goto(url)
        page.keyboard.type("Ledger.add")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", name="Sources")).to_be_visible(timeout=120_000)
        page.goto(f"{url}/ui/models")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        assert wrong == []


def test_without_scripts_the_server_answers(url):
    with page_of(url, **WIDE, java_script_enabled=False) as (page, wrong):
        page.goto(url)
        page.get_by_label("Question").fill("What does split_header return?")
        page.get_by_role("button", name="Ask").click(timeout=120_000)
        expect(page.get_by_role("heading", name="Sources")).to_be_visible(timeout=120_000)
        page.get_by_role("link", name="pkg/mod.py:1-2").click()
        expect(page.locator(".line.cited").first).to_contain_text("split_header")
        assert wrong == []


def test_code_that_looks_like_a_page_is_shown_as_code(url):
    with page_of(url, **WIDE) as (page, wrong):
        page.goto(f"{url}/ui/source?repo=acme/tools&path=pkg/mod.py&start=1&end=2")
        expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
        page.goto(f"{url}/?q=%3Cscript%3Ealert(1)%3C/script%3E&model=%3Cb%3Ex")
        expect(page.get_by_text("There is no model '<b>x'.")).to_be_visible()
        assert wrong == []


def test_each_page_says_what_is_missing(url):
    with page_of(url, **WIDE) as (page, wrong):
        page.goto(f"{url}/ui/repos")
        expect(page.get_by_role("heading", name="acme/tools")).to_be_visible()
        page.get_by_label("Add a repository").fill("/etc")
        page.get_by_role("button", name="Read it").click()
        expect(page.get_by_role("status").first).to_contain_text("service.folders")
        page.goto(f"{url}/ui/jobs")
        expect(page.get_by_role("alert")).to_contain_text("webserver doesn't answer")
        page.goto(f"{url}/ui/models")
        expect(page.get_by_text("Not judged yet.")).to_be_visible()
        expect(page.get_by_text("i_may_send_this_code")).to_be_visible()
        page.goto(f"{url}/ui/source?repo=acme/tools&path=../../secret&start=1&end=1")
        expect(page.get_by_role("alert")).to_contain_text("no file of that path")
    # Only what the service itself refused or lacked was told as an error.
    assert all("status of 4" in said or "status of 5" in said for said in wrong)


def test_the_document_of_the_api_opens_without_a_network(url):
    with page_of(url, **WIDE) as (page, wrong):
        page.goto(f"{url}/docs")
        expect(page.get_by_text("/fine-tune/generate-data").first).to_be_visible(timeout=30_000)
        assert wrong == []


def test_a_pages_policy_lets_nothing_foreign_in(url, home):
    with client(url) as http:
        policy = http.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    with service(home, token="t0ken") as guarded, client(guarded) as http:
        assert http.get("/").status_code == 401
        assert http.get("/page/page.js").status_code == 401
        assert http.get("/", auth=("me", "t0ken")).status_code == 200

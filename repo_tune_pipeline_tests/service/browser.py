"""A real browser, with nothing to load but from the service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route, sync_playwright

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@contextmanager
def page_of(url: str, **options) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what went wrong in it: errors, and requests to anywhere else, which fail."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "install Debian's package chromium"
    wrong: list[str] = []

    def route(found: Route) -> None:
        if found.request.url.startswith((url, "data:")):
            found.continue_()
        else:
            wrong.append(f"asked for {found.request.url}")
            found.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        context = browser.new_context(**options)
        page = context.new_page()
        page.route("**/*", route)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        try:
            yield page, wrong
        finally:
            browser.close()

"""A real browser."""

import shutil

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="session")
def browser():
    """Chromium as the machine has it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "no Chromium is found: install Debian's `chromium`, as `make test-web` does"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page that has to load without an error or a breach of its policy."""
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    page = context.new_page()
    page.problems = []

    def note(said):
        # A page that is still open asks for new turns when its server has been stopped.
        if said.type == "error" and "ERR_CONNECTION_REFUSED" not in said.text:
            page.problems.append(said.text)

    page.on("console", note)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    context.close()
    assert page.problems == []
